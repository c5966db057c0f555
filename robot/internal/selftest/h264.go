package selftest

import (
	"bytes"
	"errors"
	"fmt"
	"math/bits"

	"wimz.dev/live/robot/rtc"
)

var errTruncated = errors.New("a sequence parameter set is cut off")

// parseH264 looks at Annex B access units as far as it goes without a decoder: a
// first picture that decoders can start with, of the profile that phones were
// promised, and nothing but slices after it, none of them missing.
func parseH264(units [][]byte) (finding, error) {
	p := parser{finding: finding{how: "parsed", words: "parsed (with ffmpeg installed they would be decoded)"}}
	for i, unit := range units {
		if err := p.picture(unit); err != nil {
			return p.finding, fmt.Errorf("picture %d: %w", i+1, err)
		}
	}
	return p.finding, nil
}

// parser goes from picture to picture.
type parser struct {
	finding
	numberBits int // how long frame_num is
	number     int // the next picture's
}

func (p *parser) picture(unit []byte) error {
	var has [32]bool // by the type of NAL unit
	for nal := range rtc.NALUnits(unit) {
		kind := rtc.TypeOf(nal)
		has[kind] = true
		if err := p.nal(kind, nal); err != nil {
			return err
		}
	}
	switch {
	case has[rtc.NALIDR] && (!has[rtc.NALSPS] || !has[rtc.NALPPS]):
		return errors.New("a key frame lacks its parameter sets")
	case !has[rtc.NALIDR] && p.keyFrames == 0:
		return errors.New("the first is no key frame")
	case !has[rtc.NALIDR] && !has[rtc.NALSlice]:
		return errors.New("it has no slice")
	}
	if has[rtc.NALIDR] {
		p.keyFrames++
	}
	p.number = (p.number + 1) % (1 << p.numberBits)
	return nil
}

func (p *parser) nal(kind rtc.NALType, nal []byte) error {
	switch kind {
	case rtc.NALSPS:
		return p.parameters(nal)
	case rtc.NALIDR:
		p.number = 0
		if p.keyFrames == 0 {
			p.keyBytes += len(nal)
		}
	case rtc.NALSlice:
	default:
		return nil
	}
	if got := p.frameNumber(nal); got != p.number {
		return fmt.Errorf("its number is %d, not %d: some are missing", got, p.number)
	}
	return nil
}

// parameters reads a sequence parameter set (ITU-T H.264, 7.3.2.1.1), which must have
// the profile and no more than the level of the session description.
func (p *parser) parameters(nal []byte) error {
	const profile, level = "\x42\xe0", 0x1f // profile-level-id=42e01f
	if len(nal) < 4 {
		return errTruncated
	}
	if string(nal[1:3]) != profile || nal[3] > level {
		return fmt.Errorf("its profile is %x, not 42e01f as promised", nal[1:4])
	}
	r := newBitReader(nal[4:])
	r.golomb()                         // seq_parameter_set_id
	p.numberBits = r.golomb() + 4      // log2_max_frame_num_minus4
	if kind := r.golomb(); kind == 0 { // pic_order_cnt_type
		r.golomb() // log2_max_pic_order_cnt_lsb_minus4
	} else if kind == 1 {
		return errors.New("its picture order is of type 1, which our encoder does not use")
	}
	r.golomb() // max_num_ref_frames
	r.bit()    // gaps_in_frame_num_value_allowed_flag
	const macroblock = 16
	p.width, p.height = macroblock*(r.golomb()+1), macroblock*(r.golomb()+1)
	r.bit() // frame_mbs_only_flag, always set in this profile
	r.bit() // direct_8x8_inference_flag
	if r.bit() == 1 {
		p.width -= 2 * (r.golomb() + r.golomb()) // in pixels of chroma
		p.height -= 2 * (r.golomb() + r.golomb())
	}
	if r.short || p.width <= 0 || p.height <= 0 || p.numberBits > 16 {
		return errTruncated
	}
	return nil
}

// frameNumber reads frame_num of a slice's header (ITU-T H.264, 7.3.3). Each picture's
// is one more than that of the picture before, as others refer to all of ours.
func (p *parser) frameNumber(nal []byte) (n int) {
	r := newBitReader(nal[1:])
	r.golomb() // first_mb_in_slice
	r.golomb() // slice_type
	r.golomb() // pic_parameter_set_id
	for range p.numberBits {
		n = n<<1 | r.bit()
	}
	return n
}

// bitReader reads bits, most significant first. Behind the end there are zeros.
type bitReader struct {
	data  []byte
	at    int
	short bool // something was read behind the end
}

// newBitReader takes the bytes out that keep start codes from appearing.
func newBitReader(data []byte) *bitReader {
	return &bitReader{data: bytes.ReplaceAll(data, []byte{0, 0, 3}, []byte{0, 0})}
}

func (r *bitReader) bit() int {
	if r.at/8 >= len(r.data) {
		r.short = true
		return 0
	}
	b := int(bits.Reverse8(r.data[r.at/8]) >> (r.at % 8) & 1)
	r.at++
	return b
}

// golomb reads ue(v) (ITU-T H.264, 9.1).
func (r *bitReader) golomb() int {
	const longest = 16 // none that is read here is larger
	zeros := 0
	for r.bit() == 0 {
		if zeros++; zeros > longest {
			r.short = true
			return 0
		}
	}
	v := 1
	for range zeros {
		v = v<<1 | r.bit()
	}
	return v - 1
}

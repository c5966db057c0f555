package selftest

import (
	"bytes"
	"errors"
	"fmt"
	"math/bits"
)

// NAL unit types (ITU-T H.264, table 7-1).
const (
	nalSlice = 1
	nalIDR   = 5
	nalSPS   = 7
	nalPPS   = 8
)

var errTruncated = errors.New("a sequence parameter set is cut off")

// parseH264 looks at Annex B access units as far as it goes without a decoder,
// which a robot does not carry: a first picture that decoders can start with, of
// the profile that phones were promised, and nothing but slices after it.
func parseH264(units [][]byte) (f finding, err error) {
	f = finding{how: "parsed", words: "parsed (nothing on a robot decodes H264)"}
	for i, unit := range units {
		types := map[byte]int{}
		for nal := range nals(unit) {
			kind := nal[0] & 0x1f
			types[kind]++
			if i == 0 && kind == nalIDR {
				f.keyBytes += len(nal)
			}
			if kind == nalSPS {
				if f.width, f.height, err = parseSPS(nal); err != nil {
					return f, err
				}
			}
		}
		key := types[nalIDR] > 0
		switch {
		case key && (types[nalSPS] == 0 || types[nalPPS] == 0):
			return f, fmt.Errorf("key frame %d lacks its parameter sets", i+1)
		case i == 0 && !key:
			return f, errors.New("the first is no key frame")
		case !key && types[nalSlice] == 0:
			return f, fmt.Errorf("picture %d has no slice", i+1)
		}
		if key {
			f.keyFrames++
		}
	}
	return f, nil
}

// nals splits an access unit at its start codes.
func nals(unit []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for part := range bytes.SplitSeq(unit, []byte{0, 0, 1}) {
			if part = bytes.TrimRight(part, "\x00"); len(part) > 0 && !yield(part) {
				return
			}
		}
	}
}

// parseSPS reads the size of the pictures from a sequence parameter set of the
// constrained baseline profile (ITU-T H.264, 7.3.2.1.1).
func parseSPS(nal []byte) (width, height int, err error) {
	const baseline, constrained = 66, 0x40
	if len(nal) < 4 {
		return 0, 0, errTruncated
	}
	if nal[1] != baseline || nal[2]&constrained == 0 {
		return 0, 0, fmt.Errorf("its profile is %d (%02x), not constrained baseline", nal[1], nal[2])
	}
	r := &bitReader{data: bytes.ReplaceAll(nal[4:], []byte{0, 0, 3}, []byte{0, 0})}
	r.golomb()                         // seq_parameter_set_id
	r.golomb()                         // log2_max_frame_num_minus4
	if kind := r.golomb(); kind == 0 { // pic_order_cnt_type
		r.golomb() // log2_max_pic_order_cnt_lsb_minus4
	} else if kind == 1 {
		return 0, 0, errors.New("its picture order is of type 1, which our encoder does not use")
	}
	r.golomb() // max_num_ref_frames
	r.bit()    // gaps_in_frame_num_value_allowed_flag
	const macroblock = 16
	width, height = macroblock*(r.golomb()+1), macroblock*(r.golomb()+1)
	r.bit() // frame_mbs_only_flag, always set in this profile
	r.bit() // direct_8x8_inference_flag
	if r.bit() == 1 {
		width -= 2 * (r.golomb() + r.golomb()) // in pixels of chroma
		height -= 2 * (r.golomb() + r.golomb())
	}
	if r.short || width <= 0 || height <= 0 {
		return 0, 0, errTruncated
	}
	return width, height, nil
}

// bitReader reads bits, most significant first. Behind the end there are zeros.
type bitReader struct {
	data  []byte
	at    int
	short bool // something was read behind the end
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

package encode_test

import (
	"bytes"
	"iter"
	"testing"

	"wimz.dev/live/robot/internal/encode"
	"wimz.dev/live/robot/rtc"
)

func nalTypes(unit []byte) map[rtc.NALType]int {
	types := map[rtc.NALType]int{}
	for nal := range rtc.NALUnits(unit) {
		types[rtc.TypeOf(nal)]++
	}
	return types
}

func TestH264IsWhatTheSessionDescriptionSays(t *testing.T) {
	encoder := open(t, newCamera(1280, 720), settings(encode.H264, 1280, 720, 1500))
	for i := range 6 {
		if i%2 == 0 {
			encoder.ForceKeyFrame()
		}
		unit := read(t, encoder)
		types := nalTypes(unit)
		if i%2 == 0 && (types[rtc.NALSPS] != 1 || types[rtc.NALPPS] != 1 || types[rtc.NALIDR] != 1) {
			t.Errorf("frame %d: NAL units %v, want one SPS, one PPS and one IDR slice", i, types)
		}
		if i%2 == 1 && (types[rtc.NALSlice] != 1 || len(types) != 1) {
			t.Errorf("frame %d: NAL units %v, want one slice", i, types)
		}
		for nal := range rtc.NALUnits(unit) {
			if rtc.TypeOf(nal) == rtc.NALSPS && !bytes.Equal(nal[1:4], []byte{0x42, 0xe0, 0x1f}) {
				t.Errorf("SPS says %x, want 42e01f", nal[1:4])
			}
		}
	}
}

func TestColourIsSignalled(t *testing.T) {
	for _, full := range []bool{false, true} {
		s := settings(encode.H264, 640, 368, 400)
		s.FullRange = full
		unit := read(t, open(t, newCamera(640, 368), s))
		next, stop := iter.Pull(rtc.NALUnits(unit))
		sps, _ := next()
		stop()
		gotFull, matrix := parseColour(sps)
		if gotFull != full || matrix != 6 {
			t.Errorf("full range %v, matrix %d; want %v, 6 (BT.601)", gotFull, matrix, full)
		}
	}
}

// parseColour reads an SPS as far as the colour of its VUI
// (ITU-T H.264, 7.3.2.1.1 and E.1.1).
func parseColour(sps []byte) (fullRange bool, matrix uint) {
	r := &bits{data: bytes.ReplaceAll(sps, []byte{0, 0, 3}, []byte{0, 0})}
	r.take(32) // NAL header, profile, constraints, level
	r.golomb() // seq_parameter_set_id
	r.golomb() // log2_max_frame_num_minus4
	if r.golomb() == 0 {
		r.golomb() // log2_max_pic_order_cnt_lsb_minus4
	}
	r.golomb() // max_num_ref_frames
	r.take(1)
	r.golomb() // width
	r.golomb() // height
	r.take(2)  // frame_mbs_only_flag, direct_8x8_inference_flag
	if r.take(1) == 1 {
		for range 4 {
			r.golomb() // cropping
		}
	}
	r.take(1) // vui_parameters_present_flag
	if r.take(1) == 1 && r.take(8) == 255 {
		r.take(32) // aspect ratio
	}
	if r.take(1) == 1 {
		r.take(1) // overscan
	}
	r.take(4) // video_signal_type_present_flag, video_format
	fullRange = r.take(1) == 1
	r.take(17) // colour_description_present_flag, primaries, transfer
	return fullRange, r.take(8)
}

type bits struct {
	data []byte
	at   int
}

func (b *bits) take(n int) uint {
	v := uint(0)
	for range n {
		v = v<<1 | uint(b.data[b.at/8]>>(7-b.at%8)&1)
		b.at++
	}
	return v
}

func (b *bits) golomb() uint {
	zeros := 0
	for b.take(1) == 0 {
		zeros++
	}
	return 1<<zeros - 1 + b.take(zeros)
}

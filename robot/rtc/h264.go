package rtc

import (
	"bytes"
	"iter"
)

// NALType says what a NAL unit of H264 holds (ITU-T H.264, table 7-1).
type NALType byte

// The types that are told apart here.
const (
	NALSlice NALType = 1 // of a picture that rests on others
	NALIDR   NALType = 5 // of one that does not
	NALSPS   NALType = 7
	NALPPS   NALType = 8
)

// TypeOf returns the type of a NAL unit, or of the RTP payload that begins with its
// header (RFC 6184 §5.3).
func TypeOf(nal []byte) NALType { return NALType(nal[0] & 0x1f) }

// NALUnits goes through the NAL units of an Annex B access unit, without the start
// codes between them (ITU-T H.264, B.1). They are parts of it and no copies; none is
// empty.
func NALUnits(unit []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for nal := range bytes.SplitSeq(unit, []byte{0, 0, 1}) {
			if nal = bytes.TrimRight(nal, "\x00"); len(nal) > 0 && !yield(nal) {
				return
			}
		}
	}
}

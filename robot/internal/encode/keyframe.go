package encode

import "bytes"

// NAL unit types (ITU-T H.264, table 7-1).
const (
	nalSlice    = 1
	nalIDRSlice = 5
)

// IsKeyFrame reports whether an access unit can be decoded without any before
// it: an IDR picture in H.264 (Annex B), a key frame in VP8 (RFC 6386 §9.1). It
// reads no further than the first slice, and takes any bytes without failing.
func IsKeyFrame(c Codec, unit []byte) bool {
	switch c {
	case H264:
		return startsWithIDR(unit)
	case VP8:
		return len(unit) >= 10 && unit[0]&1 == 0 && bytes.Equal(unit[3:6], []byte{0x9d, 0x01, 0x2a})
	default:
		return false
	}
}

// startsWithIDR looks for the type of the first slice.
func startsWithIDR(unit []byte) bool {
	startCode := []byte{0, 0, 1}
	for {
		at := bytes.Index(unit, startCode)
		if at < 0 || at+len(startCode) >= len(unit) {
			return false
		}
		unit = unit[at+len(startCode):]
		switch unit[0] & 0x1f {
		case nalIDRSlice:
			return true
		case nalSlice:
			return false
		}
	}
}

package rtc_test

import (
	"slices"
	"testing"

	"wimz.dev/live/robot/rtc"
)

func TestNALUnits(t *testing.T) {
	for unit, want := range map[string][]string{
		"":                                       nil,
		"\x00\x00\x00\x01":                       nil,
		"\x00\x00\x00\x01\x67a\x00\x00\x01\x68b": {"\x67a", "\x68b"},
		"\x00\x00\x01\x65a\x00\x00\x03\x01\x80\x00\x00\x00\x00\x00\x01\x41": {"\x65a\x00\x00\x03\x01\x80", "\x41"},
		"\x00\x00\x01\x09\xf0\x00": {"\x09\xf0"}, // no unit ends with a zero
	} {
		var got []string
		for nal := range rtc.NALUnits([]byte(unit)) {
			got = append(got, string(nal))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", unit, got, want)
		}
	}
	for range rtc.NALUnits([]byte("\x00\x00\x01a\x00\x00\x01b")) {
		break // and is not asked again
	}
	if got := rtc.TypeOf([]byte{0x67}); got != rtc.NALSPS {
		t.Errorf("type %d", got)
	}
}

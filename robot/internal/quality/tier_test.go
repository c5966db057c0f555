package quality_test

import (
	"image"
	"testing"

	"wimz.dev/live/robot/internal/quality"
)

func TestLadder(t *testing.T) {
	for _, c := range []struct {
		size image.Point
		kbps int
		want quality.Ladder
	}{
		{image.Pt(1280, 720), 1500, quality.Ladder{
			quality.Low:    {Size: image.Pt(640, 368), Kbps: 400},
			quality.Medium: {Size: image.Pt(960, 544), Kbps: 900},
			quality.High:   {Size: image.Pt(1280, 720), Kbps: 1500},
		}},
		{image.Pt(160, 96), 100, quality.Ladder{
			quality.Low:    {Size: image.Pt(80, 48), Kbps: 26},
			quality.Medium: {Size: image.Pt(128, 80), Kbps: 60},
			quality.High:   {Size: image.Pt(160, 96), Kbps: 100},
		}},
	} {
		if got := quality.NewLadder(c.size, c.kbps); got != c.want {
			t.Errorf("%v at %d: %v", c.size, c.kbps, got)
		}
	}
}

func TestModes(t *testing.T) {
	for mode, valid := range map[quality.Mode]bool{
		"auto": true, "low": true, "medium": true, "high": true, "": false, "ultra": false, "Auto": false,
	} {
		if mode.Valid() != valid {
			t.Errorf("%q: valid is %v", mode, !valid)
		}
	}
}

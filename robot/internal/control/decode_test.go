package control_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"wimz.dev/live/robot/internal/control"
	"wimz.dev/live/robot/internal/quality"
)

func TestDecode(t *testing.T) {
	motor := func(left, right float64) control.Message {
		return control.Message{Kind: control.Motor, Speed: control.Speed{Left: left, Right: right}}
	}
	for frame, want := range map[string]control.Message{
		`{"command":"motor","left":0.5,"right":-0.25}`:            motor(0.5, -0.25),
		`{"command":"motor","left":1,"right":-1,"new":{}}`:        motor(1, -1),
		`{"command":"motor","left":1.0000002,"right":-1.0000002}`: motor(1, -1),
		`{"type":"motor","left":0,"right":0}`:                     motor(0, 0),
		`{"command":"stop"}`:                                      {Kind: control.Stop},
		`{"command":"stop","left":"x"}`:                           {Kind: control.Stop},
		`{"type":"command","command":"emergency_stop"}`:           {Kind: control.EmergencyStop},
		`{"type":"ping"}`:                                         {Kind: control.Ping},
		`{"command":"set_video_quality","mode":"auto"}`:           {Kind: control.SetVideoQuality, Quality: quality.Auto},
		`{"type":"set_video_quality","mode":"high"}`:              {Kind: control.SetVideoQuality, Quality: quality.OnlyHigh},
		`{"type":"set_overlay","enabled":true}`:                   {Kind: control.SetOverlay, Overlay: true},
		`{"command":"set_overlay","enabled":false}`:               {Kind: control.SetOverlay},
	} {
		if got, err := control.Decode([]byte(frame)); err != nil || got != want {
			t.Errorf("%s is read as %+v, %v; want %+v", frame, got, err, want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for frame, want := range map[string]struct {
		kind control.Kind
		text string
	}{
		`{"command":"motor"}`:                             {control.Motor, "left and right"},
		`{"command":"motor","left":1}`:                    {control.Motor, "left and right"},
		`{"command":"motor","left":null,"right":1}`:       {control.Motor, "left and right"},
		`{"command":"motor","left":"1","right":1}`:        {control.Motor, "wrong shape"},
		`{"command":"motor","left":100,"right":100}`:      {control.Motor, "from -1 to 1, not 100"},
		`{"command":"motor","left":0,"right":-1.02}`:      {control.Motor, "not -1.02"},
		`{"command":"motor","left":1e999,"right":0}`:      {control.Motor, "wrong shape"},
		`{"command":"motor","left":0,"right":0,"mode":1}`: {control.Motor, "wrong shape"},
		`{"command":"set_video_quality"}`:                 {control.SetVideoQuality, "auto, low, medium or high"},
		`{"command":"set_video_quality","mode":"best"}`:   {control.SetVideoQuality, "auto, low, medium or high"},
		`{"command":"set_overlay","enabled":"yes"}`:       {control.SetOverlay, "wrong shape"},
		`{"command":"set_overlay"}`:                       {control.SetOverlay, "true or false"},
		"":                                                {},
		"{":                                               {},
		"[]":                                              {},
		"null":                                            {},
		`"stop"`:                                          {},
		`{"command":"motor","left":0,"right":0`:           {},
		`{"command":"Stop"}`:                              {},
		`{"command":["stop"]}`:                            {},
		`{"command":"fly"}`:                               {},
		`{"command":"stop","x":"` + strings.Repeat("x", 4<<10) + `"}`: {},
	} {
		got, err := control.Decode([]byte(frame))
		if err == nil || got != (control.Message{Kind: want.kind}) || !strings.Contains(err.Error(), want.text) {
			t.Errorf("%.80s is read as %+v, %v", frame, got, err)
		}
		if errors.Is(err, control.ErrUnknown) != (want.kind == "") {
			t.Errorf("%.80s: %v", frame, err)
		}
	}
}

// FuzzDecode looks for panics and for what must never reach a motor.
func FuzzDecode(f *testing.F) {
	for _, frame := range []string{
		`{"command":"motor","left":0.5,"right":-0.25}`, `{"command":"stop"}`, `{"type":"ping"}`,
		`{"command":"set_video_quality","mode":"low"}`, `{"type":"set_overlay","enabled":true}`,
		`{"command":"motor","left":1e309,"right":-0}`,
	} {
		f.Add([]byte(frame))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		m, err := control.Decode(frame)
		if err != nil && (m != control.Message{Kind: m.Kind}) {
			t.Errorf("refused, and read: %+v", m)
		}
		for _, side := range []float64{m.Speed.Left, m.Speed.Right} {
			if !(math.Abs(side) <= 1) {
				t.Errorf("speed %g", side)
			}
		}
	})
}

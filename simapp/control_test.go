package simapp

import (
	"reflect"
	"strings"
	"testing"
)

func TestReadControl(t *testing.T) {
	for data, want := range map[string]any{
		`{"type":"video_quality","tier":"high","resolution":"1280x720","bitrate_kbps":1500,"loss_pct":0.5,"rtt_ms":12,"bars":4,"mode":"auto"}`: Quality{"high", "1280x720", 1500, 0.5, 12, 4, "auto"},
		`{"type":"video_quality","bars":5}`:             nil,
		`{"type":"video_quality","bars":-1}`:            nil,
		`{"type":"video_quality","rtt_ms":-1}`:          nil,
		`{"type":"video_quality","bars":"4"}`:           nil,
		`{"type":"video_quality","tier":"a\u001b[2Jb"}`: Quality{Tier: "a\uFFFD[2Jb"},
		`{"type":"command_ack","command":"motor","success":false,"code":"TAKEN_OVER","error":"Another\nviewer"}`: &RefusedError{"motor", "TAKEN_OVER", "Another\uFFFDviewer"},
		`{"type":"command_ack","command":"motor","success":true}`:                                                nil,
		`{"type":"command_ack","command":"motor"}`:                                                               nil,
		`{"type":"pong"}`: nil,
		`[]`:              nil,
		`{`:               nil,
		`{"type":"video_quality","tier":"` + strings.Repeat("x", maxControl) + `"}`: nil,
	} {
		if got := ReadControl([]byte(data)); !reflect.DeepEqual(got, want) {
			t.Errorf("%.80s: %#v, want %#v", data, got, want)
		}
	}
	long, ok := ReadControl([]byte(`{"type":"video_quality","tier":"` + strings.Repeat("ä", 500) + `"}`)).(Quality)
	if !ok || long.Tier != strings.Repeat("ä", maxWord) {
		t.Errorf("%+v", long)
	}
}

func FuzzReadControl(f *testing.F) {
	f.Add([]byte(`{"type":"video_quality","tier":"high","bars":4}`))
	f.Add([]byte(`{"type":"command_ack","success":false,"code":"X"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		switch m := ReadControl(data).(type) {
		case Quality:
			if m.Bars < 0 || m.Bars > maxBars || m.RTTMillis < 0 || strings.ContainsAny(m.Tier+m.Resolution+m.Mode, "\x1b\n\r") {
				t.Errorf("%+v", m)
			}
		case *RefusedError:
			if strings.ContainsAny(m.Error()+m.Command, "\x1b\n\r") {
				t.Errorf("%+v", m)
			}
		}
	})
}

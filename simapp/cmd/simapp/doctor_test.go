package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"wimz.dev/live/relay/cli"
	"wimz.dev/live/simapp"
	"wimz.dev/live/simapp/doctor"
)

func TestDoctorOfNoRelay(t *testing.T) {
	t.Setenv("SIMAPP_TOKEN", "secret-token")
	status, stdout, stderr := start(t, "", "doctor", "--relay", "ws://127.0.0.1:1")
	if status != cli.ExitFailed || !strings.Contains(stdout, "✗ tcp          port 1: nobody listens there") ||
		!strings.Contains(stdout, "               → check that the relay runs") ||
		!strings.Contains(stdout, "– video        not looked at") || stderr != "simapp: 1 of 14 checks failed\n" {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
	status, stdout, _ = start(t, "", "doctor", "--relay", "ws://127.0.0.1:1", "--json", "--no-video")
	var report struct {
		OK      *bool
		Results []doctor.Result
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil || status != cli.ExitFailed || report.OK == nil || *report.OK {
		t.Errorf("status %d, %v\n%s", status, err, stdout)
	}
	if len(report.Results) != 13 || report.Results[2].Outcome != doctor.Failed || report.Results[2].Advice == "" {
		t.Errorf("%+v", report.Results)
	}
	if status, _, stderr = start(t, "", "doctor", "--relay", "ws://h", "--device", "a b"); status == cli.ExitOK || !strings.Contains(stderr, "is no device") {
		t.Errorf("status %d: %s", status, stderr)
	}
	if status, stdout, _ = start(t, "", "doctor", "--help"); status != cli.ExitOK || !strings.Contains(stdout, "Examples:") {
		t.Errorf("status %d: %s", status, stdout)
	}
}

func TestDoctorTellsTheSteps(t *testing.T) {
	var out bytes.Buffer
	printCheck(&out, doctor.Result{
		Check: "video", Outcome: doctor.OK, Text: "the first picture came", Advice: "none",
		Video: &simapp.Report{
			Phases: map[simapp.Phase]float64{simapp.PhaseFrame: 112.2, simapp.PhaseOffer: 4, simapp.PhaseKeyFrame: 99},
			Pair:   &simapp.Pair{Local: "relay", Remote: "host", Protocol: "tls"},
		},
	})
	const want = "✓ video        the first picture came\n" +
		"               ms: offer 4, key frame 99, frame 112\n" +
		"               path: through our TURN server, tls\n" +
		"               → none\n"
	if out.String() != want {
		t.Errorf("got\n%s", &out)
	}
}

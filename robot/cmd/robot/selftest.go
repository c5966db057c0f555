package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"wimz.dev/live/robot"
	"wimz.dev/live/robot/internal/selftest"
)

// selftestCmd looks at a new robot.
type selftestCmd struct {
	Config   string        `placeholder:"FILE" help:"The robot's configuration, YAML; the cloud may still be missing. Without one the test picture is used."`
	For      time.Duration `default:"3s" help:"How long the camera and each codec are measured."`
	JSON     bool          `name:"json" help:"Print the result as JSON."`
	LogLevel string        `default:"warn" enum:"debug,info,warn,error" help:"One of ${enum}."`
}

// Bounds of --for.
const minFor, maxFor = 100 * time.Millisecond, time.Minute

// Help is shown by robot selftest --help.
func (*selftestCmd) Help() string {
	return `Opens the camera, then runs the whole robot against itself, once in each codec: it
captures, draws, encodes, connects and receives, decodes what arrived and compares it
with what the camera saw. No relay and no network is needed. H264 is decoded by ffmpeg;
where that is not installed it is only parsed. Figures of CPU are percent of one core, of
everything together, the receiving end included.

Exit status 0 if all is well, 1 if something failed. Stop a robot that is running first:
the camera has room for one.

Examples:

    robot selftest
    robot selftest --config /etc/wimz/robot.yaml
    robot selftest --for 10s --json`
}

// Run tests, and fails if a part does.
func (c *selftestCmd) Run(ctx context.Context, out output) error {
	if c.For < minFor || c.For > maxFor {
		return fmt.Errorf("--for is %s; use %s to %s", c.For, minFor, maxFor)
	}
	cfg := robot.DefaultConfig()
	if c.Config != "" {
		var err error
		if cfg, err = robot.LoadVideoConfig(c.Config); err != nil {
			return err
		}
	}
	o := selftest.Options{Config: cfg, For: c.For, Log: logger(out.stderr, c.LogLevel, "text")}
	if !c.JSON {
		o.Done = func(s selftest.Step) { printStep(out.stdout, s) }
	}
	steps := selftest.Run(ctx, o)
	bad := 0
	for _, s := range steps {
		if !s.Pass {
			bad++
		}
	}
	if c.JSON {
		report := struct {
			Pass  bool            `json:"pass"`
			Steps []selftest.Step `json:"steps"`
		}{bad == 0, steps}
		if err := json.NewEncoder(out.stdout).Encode(report); err != nil {
			return err
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d tests failed", bad, len(steps))
	}
	return nil
}

func printStep(w io.Writer, s selftest.Step) {
	verdict := "FAIL"
	if s.Pass {
		verdict = "PASS"
	}
	_, _ = fmt.Fprintf(w, "%s  %-7s %s\n", verdict, s.Name, s.Text)
	if s.Advice != "" {
		_, _ = fmt.Fprintf(w, "      %-7s what to do: %s\n", "", s.Advice)
	}
}

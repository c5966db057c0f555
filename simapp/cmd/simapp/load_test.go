package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wimz.dev/live/relay/cli"
	"wimz.dev/live/simapp/load"
)

func TestLoadFigures(t *testing.T) {
	report := load.Report{
		Robots: 100, Apps: 20, Seconds: 30, Sessions: 2999, SessionsPer: 99.97,
		Steps: map[string]load.Spread{"offer": {P50: 1.25, P95: 22, P99: 33.3, Max: 44}},
	}
	var out bytes.Buffer
	if err := printLoad(&out, report); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"100 robots and 20 apps, 30.0 s: 2999 sessions (100.0/s)", "offer               1.2       22.0       33.3       44.0\n", "nothing went wrong"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("lacks %q:\n%s", want, &out)
		}
	}
	out.Reset()
	report.Lost, report.Errors = 3, map[string]int{"RATE_LIMITED": 7}
	if err := printLoad(&out, report); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"     3 connections lost\n", "     7 × RATE_LIMITED\n", "LIMITS=off"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("lacks %q:\n%s", want, &out)
		}
	}
	for want, p := range map[string]load.Progress{
		"3 of 120 connected": {Connected: 3, Ends: 120},
		"01:04  128 sessions, 2.0/s  1 errors, 0 connections": {Ends: 120, For: 63900 * time.Millisecond, Sessions: 128, Errors: 1},
	} {
		if got := progress(p); !strings.HasPrefix(got, want) {
			t.Errorf("%q is not %q", got, want)
		}
	}
}

func TestLoadIsBounded(t *testing.T) {
	dir := t.TempDir()
	config := []byte("cloud: {device_id: a, device_secret: hush}")
	if err := os.WriteFile(filepath.Join(dir, "a.yaml"), config, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no robots":      {[]string{"--robots", t.TempDir()}, "relay device add"},
		"no apps":        {[]string{"--robots", dir, "--apps", "0"}, "at least"},
		"too many":       {[]string{"--robots", dir, "--apps", "10000"}, "10001 robots and apps are too many"},
		"too long":       {[]string{"--robots", dir, "--duration", "2h"}, "1h0m0s at most"},
		"backwards":      {[]string{"--robots", dir, "--rate=-1"}, "negative rate"},
		"no relay there": {[]string{"--robots", dir}, "connect: "},
	} {
		t.Run(name, func(t *testing.T) {
			status, _, stderr := start(t, "", append([]string{"load", "--relay", "ws://127.0.0.1:1", "--token", "T"}, c.args...)...)
			if status == cli.ExitOK || !strings.Contains(stderr, c.want) || strings.Contains(stderr, "hush") {
				t.Errorf("status %d: %s", status, stderr)
			}
		})
	}
}

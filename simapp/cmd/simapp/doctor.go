package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
	"wimz.dev/live/simapp/doctor"
)

// doctorCmd looks for what stands between this machine and a picture.
type doctorCmd struct {
	account `embed:""`

	Device wire.DeviceID `placeholder:"ID" help:"The robot. Default: any that is online."`
	Video  bool          `default:"true" negatable:"" help:"End with a real viewing, until the first picture. With --no-video nothing is asked of the robot."`
	JSON   bool          `name:"json" help:"Print the results as one JSON object."`
}

// Help is shown by simapp doctor --help.
func (*doctorCmd) Help() string {
	return `Looks, one after the other, at the relay's address, its name, port and certificate, at
the relay itself, the clocks, the login, the robots, the TURN servers over UDP, TCP and
TLS (with a real allocation and a packet through it), and at last at a robot's picture.
Of each it says what it saw and, where something is wrong, what to do. Each takes 5 s at
most (the picture 15 s), all of them 45 s. Tokens and credentials are not printed.

Ends with status 0 if nothing failed, with 1 if something did.

Examples:

    simapp doctor
    simapp doctor --relay wss://relay.example.com --no-video
    simapp doctor --json | jq -r '.results[] | select(.outcome == "failed").advice'`
}

// Run looks at everything, and fails if something does.
func (c *doctorCmd) Run(ctx context.Context, a *app) error {
	if c.Device != "" && !c.Device.Valid() {
		return valid(c.Device)
	}
	cfg := doctor.Config{
		RelayURL: c.Relay, Device: c.Device, Video: c.Video, Advise: advise, Log: a.log,
		Login: func(ctx context.Context) (string, error) { return c.login(ctx, a) },
	}
	if c.Email != "" { // somebody may have to type the password, which no check waits for
		token, err := c.login(ctx, a)
		cfg.Login = func(context.Context) (string, error) { return token, err }
	}
	if !c.JSON {
		cfg.Done = func(r doctor.Result) { printCheck(a.stdout, r) }
	}
	results := doctor.Run(ctx, cfg)
	if ctx.Err() != nil {
		return errStopped
	}
	if c.JSON {
		report := struct {
			OK      bool            `json:"ok"`
			Results []doctor.Result `json:"results"`
		}{doctor.Healthy(results), results}
		if err := a.printJSON(report); err != nil {
			return err
		}
	}
	return verdict(results)
}

// verdict is the error that ends the program with a status of its own.
func verdict(results []doctor.Result) error {
	bad := 0
	for _, r := range results {
		if r.Outcome == doctor.Failed {
			bad++
		}
	}
	if bad == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d checks failed", bad, len(results))
}

// printCheck shows one result.
func printCheck(w io.Writer, r doctor.Result) {
	mark := map[doctor.Outcome]string{doctor.OK: "✓", doctor.Failed: "✗", doctor.Skipped: "–"}[r.Outcome]
	if colour := map[doctor.Outcome]int{doctor.OK: 32, doctor.Failed: 31}[r.Outcome]; colour != 0 && drawable(w) && os.Getenv("NO_COLOR") == "" {
		mark = fmt.Sprintf("\x1b[%dm%s\x1b[0m", colour, mark)
	}
	_, _ = fmt.Fprintf(w, "%s %-12s %s\n", mark, r.Check, r.Text)
	if v := r.Video; v != nil {
		for _, line := range steps(*v) {
			_, _ = fmt.Fprintf(w, "  %-12s %s\n", "", line)
		}
	}
	if r.Advice != "" {
		_, _ = fmt.Fprintf(w, "  %-12s → %s\n", "", r.Advice)
	}
}

// steps says when each step of a viewing was reached, and which way its media takes.
func steps(r simapp.Report) []string {
	var lines []string
	reached := slices.SortedFunc(maps.Keys(r.Phases), func(a, b simapp.Phase) int {
		return cmp.Compare(r.Phases[a], r.Phases[b])
	})
	texts := make([]string, len(reached))
	for i, phase := range reached {
		texts[i] = fmt.Sprintf("%s %.0f", strings.ReplaceAll(string(phase), "_", " "), r.Phases[phase])
	}
	for some := range slices.Chunk(texts, 4) {
		lines = append(lines, "ms: "+strings.Join(some, ", "))
	}
	if r.Pair != nil {
		lines = append(lines, "path: "+path(*r.Pair))
	}
	return lines
}

package main

import (
	"fmt"
	"math"
	"strings"
	"time"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

// Widths of the dashboard in characters.
const (
	wordsWidth = 48 // what stands beside a curve
	shortCurve = 16 // of one viewer among several
)

// dashboard is what a terminal of a width shows.
func dashboard(device wire.DeviceID, elapsed time.Duration, views []view, width int) []string {
	title := fmt.Sprintf("  %s  %s", device, clock(elapsed))
	if len(views) == 1 {
		return append([]string{title + "  " + views[0].State}, details(views[0], width)...)
	}
	lines := []string{fmt.Sprintf("%s  %d viewers", title, len(views))}
	for _, v := range views {
		lines = append(lines, viewerLine(v))
	}
	return lines
}

// details are the lines about one viewer.
func details(v view, width int) (lines []string) {
	if v.Frames > 0 {
		curve := min(max(width-wordsWidth, 0), curveLen)
		lines = append(lines,
			curveLine("pictures", v.curves.fps, curve, fmt.Sprintf("%s a second, %.1f on the whole", number(v.curves.fps), v.FPS)),
			curveLine("bit rate", v.curves.kbps, curve, fmt.Sprintf("%s kbit/s, %.0f on the whole", number(v.curves.kbps), v.BitrateKbps)))
		if v.Latency != nil {
			lines = append(lines, curveLine("latency", v.curves.latency, curve,
				fmt.Sprintf("%s ms, 95 %% below %.0f ms", number(v.curves.latency), v.Latency.P95)))
		}
		lines = append(lines, "  "+label("so far")+counted(v))
	}
	if words := phases(v.Report); words != "" {
		lines = append(lines, "  "+label("start")+words)
	}
	if v.Pair != nil {
		lines = append(lines, "  "+label("path")+path(*v.Pair))
	}
	if v.Quality != nil {
		lines = append(lines, "  "+label("link")+link(*v.Quality))
	}
	return lines
}

// viewerLine is one viewer among several.
func viewerLine(v view) string {
	line := fmt.Sprintf("  %d  %s", v.Viewer, v.State)
	if v.Frames == 0 || v.err != nil {
		return line
	}
	line += fmt.Sprintf("  %s fps %s  %s kbit/s", v.curves.fps.draw(shortCurve), number(v.curves.fps), number(v.curves.kbps))
	if v.Latency != nil {
		line += fmt.Sprintf("  %s ms", number(v.curves.latency))
	}
	if v.Quality != nil {
		line += "  " + bars(v.Quality.Bars)
	}
	return line
}

func curveLine(name string, c curve, width int, words string) string {
	return fmt.Sprintf("  %s%s  %s", label(name), c.draw(width), words)
}

func label(name string) string { return fmt.Sprintf("%-11s", name) }

// number is a curve's newest value.
func number(c curve) string {
	if v := c.last(); !math.IsNaN(v) {
		return fmt.Sprintf("%.0f", v)
	}
	return "?"
}

// link is what the robot says.
func link(q simapp.Quality) string {
	return fmt.Sprintf("%s %s quality (%s), %s, %.1f %% lost, round trip %.0f ms",
		bars(q.Bars), q.Tier, q.Mode, q.Resolution, q.LossPct, q.RTTMillis)
}

// bars draws them as a phone does.
func bars(n int) string {
	all := []rune("▂▄▆█")
	return string(all[:n]) + strings.Repeat("·", len(all)-n)
}

// phases says what the time to the first picture went into, in few words. The
// report has all of them.
func phases(r simapp.Report) string {
	var words []string
	before := 0.0
	for _, p := range []struct {
		phase simapp.Phase
		words string
	}{
		{simapp.PhaseCredentials, "relay"},
		{simapp.PhaseOffer, "offer"},
		{simapp.PhaseSecured, "path"}, // and the keys for it
		{simapp.PhasePacket, "packet"},
		{simapp.PhaseFrame, "picture"},
	} {
		if at, reached := r.Phases[p.phase]; reached {
			words = append(words, fmt.Sprintf("%s %.0f", p.words, max(at-before, 0)))
			before = max(at, before)
		}
	}
	if len(words) == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f ms: %s", before, strings.Join(words, ", "))
}

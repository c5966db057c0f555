package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hinshun/vt10x"
)

// Sizes in pixels. A character is as wide as in most fonts of one width; each text is
// told its length, so that columns agree in all of them.
const (
	charWidth, lineHeight = 8.4, 19
	fontSize              = 14
	margin, bar           = 14, 30
)

// maxGap is how long nothing may change in the picture.
const maxGap = 6 * time.Second

// shown is a line of the screen, from one moment to another.
type shown struct {
	y        int
	svg      string
	from, to time.Duration
}

// draw makes an SVG of the frames that plays for ever. It needs no font of its own and
// no script: each line that differs is there once, and CSS shows it for its time.
// Who wants no motion sees the end.
func draw(frames []frame) []byte {
	frames = withoutGaps(frames)
	whole := frames[len(frames)-1].at
	groups := map[[2]time.Duration][]shown{}
	for _, s := range follow(frames) {
		groups[[2]time.Duration{s.from, s.to}] = append(groups[[2]time.Duration{s.from, s.to}], s)
	}
	spans := make([][2]time.Duration, 0, len(groups))
	for span := range groups {
		spans = append(spans, span)
	}
	slices.SortFunc(spans, func(a, b [2]time.Duration) int { return slices.Compare(a[:], b[:]) })

	var style, body bytes.Buffer
	for i, span := range spans {
		class, last := fmt.Sprintf("k%d", i), ""
		if span[1] == whole {
			last = " z"
		}
		if span[0] > 0 || span[1] < whole {
			fmt.Fprintf(&style, ".%s{animation-name:%s}@keyframes %s{%s}\n", class, class, class, keyframes(span, whole))
			fmt.Fprintf(&body, "<g class=\"k %s%s\">", class, last)
		} else {
			body.WriteString("<g>")
		}
		for _, line := range groups[span] {
			body.WriteString(line.svg)
		}
		body.WriteString("</g>\n")
	}
	const width, height = columns*charWidth + 2*margin, lines*lineHeight + bar + margin
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %d" width="%.0f" height="%d" role="img" aria-label="simapp in a terminal">
<style>
text{font:%dpx ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre;fill:#e6edf3}
.b{font-weight:bold}
.k{opacity:0;animation:%.2fs step-end infinite}
@media (prefers-reduced-motion:reduce){.k{animation:none}.z{opacity:1}}
%s</style>
<rect width="100%%" height="100%%" rx="9" fill="#0d1117" stroke="#30363d"/>
<circle cx="18" cy="16" r="5.5" fill="#ff5f57"/><circle cx="36" cy="16" r="5.5" fill="#febc2e"/><circle cx="54" cy="16" r="5.5" fill="#28c840"/>
<g transform="translate(%d %d)">
%s</g>
</svg>
`, width, height, width, height, fontSize, whole.Seconds(), style.String(), margin, bar, body.String())
	return out.Bytes()
}

// withoutGaps shortens what takes long without a change, and begins at the first frame.
func withoutGaps(frames []frame) []frame {
	short := slices.Clone(frames)
	for i := 1; i < len(frames); i++ {
		short[i].at = short[i-1].at + min(frames[i].at-frames[i-1].at, maxGap)
	}
	first := short[0].at
	for i := range short {
		short[i].at -= first
	}
	return short
}

// follow returns every line that is not empty, for as long as it stayed the same.
func follow(frames []frame) (all []shown) {
	for y := range lines {
		now := shown{y: y}
		for _, f := range frames {
			svg := drawLine(y, f.lines[y])
			if svg == now.svg {
				continue
			}
			if now.to = f.at; now.svg != "" {
				all = append(all, now)
			}
			now.svg, now.from = svg, f.at
		}
		if now.to = frames[len(frames)-1].at; now.svg != "" && now.from < now.to {
			all = append(all, now)
		}
	}
	return all
}

// keyframes shows something for a span of the whole time.
func keyframes(span [2]time.Duration, whole time.Duration) string {
	var b strings.Builder
	percent := func(d time.Duration) float64 { return 100 * float64(d) / float64(whole) }
	if span[0] > 0 {
		b.WriteString("0%{opacity:0}")
	}
	fmt.Fprintf(&b, "%.2f%%{opacity:1}", percent(span[0]))
	if span[1] < whole {
		fmt.Fprintf(&b, "%.2f%%,to{opacity:0}", percent(span[1]))
	} else {
		b.WriteString("to{opacity:1}")
	}
	return b.String()
}

// drawLine draws the runs of a line that look the same; nothing for an empty line.
func drawLine(y int, line []vt10x.Glyph) string {
	var b strings.Builder
	for x := 0; x < len(line); {
		end := x + 1
		for end < len(line) && alike(line[end], line[x]) {
			end++
		}
		b.WriteString(drawRun(x, y, line[x:end]))
		x = end
	}
	return b.String()
}

// drawRun draws characters of one look.
func drawRun(x, y int, run []vt10x.Glyph) string {
	var b strings.Builder
	var text strings.Builder
	for _, g := range run {
		text.WriteRune(max(g.Char, ' '))
	}
	if bg := run[0].BG; bg != vt10x.DefaultBG {
		fmt.Fprintf(&b, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>`,
			float64(x)*charWidth, y*lineHeight, float64(len(run))*charWidth, lineHeight, colour(bg))
	}
	words := strings.TrimRight(text.String(), " ")
	if blank := len(words) - len(strings.TrimLeft(words, " ")); blank < len(words) {
		words = words[blank:]
		x += blank
	}
	if words == "" {
		return b.String()
	}
	attributes := ""
	if run[0].Mode&bold != 0 {
		attributes += ` class="b"`
	}
	if fg := run[0].FG; fg != vt10x.DefaultFG {
		attributes += fmt.Sprintf(` fill="%s" style="fill:%s"`, colour(fg), colour(fg))
	}
	fmt.Fprintf(&b, `<text x="%.1f" y="%d"%s textLength="%.1f">`,
		float64(x)*charWidth, y*lineHeight+fontSize, attributes, float64(len([]rune(words)))*charWidth)
	_ = xml.EscapeText(&b, []byte(words))
	b.WriteString("</text>")
	return b.String()
}

// bold is the emulator's bit for it, which it does not export.
const bold = 1 << 2

func alike(a, b vt10x.Glyph) bool {
	return a.FG == b.FG && a.BG == b.BG && a.Mode&bold == b.Mode&bold
}

// colour is a colour of the palette, of the 256 colours of xterm, or any.
func colour(c vt10x.Color) string {
	palette := []string{
		"#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4",
		"#6e7681", "#ffa198", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#ffffff",
	}
	switch {
	case c == vt10x.DefaultFG:
		return "#e6edf3"
	case c == vt10x.DefaultBG:
		return "#0d1117"
	case int(c) < len(palette):
		return palette[c]
	case c < 232: // a cube of six shades of each
		shade := func(n vt10x.Color) vt10x.Color { return min(n, 1)*55 + 40*n }
		n := c - 16
		return fmt.Sprintf("#%02x%02x%02x", shade(n/36), shade(n/6%6), shade(n%6))
	case c < 256:
		grey := 8 + 10*(c-232)
		return fmt.Sprintf("#%02x%02x%02x", grey, grey, grey)
	default:
		return fmt.Sprintf("#%06x", int(c)&0xffffff)
	}
}

package figures

import (
	_ "embed" // the page
	"fmt"
	"html/template"
	"net/http"
	"sync"
	"time"
)

//go:embed page.html
var pageText string

// Page serves the figures to people: one page that asks nobody else for anything
// and is loaded anew every two seconds.
func Page(version string, read func() Figures) http.Handler {
	p := &page{version: version, read: read, text: template.Must(template.New("page").Funcs(template.FuncMap{"add": func(a, b int) int { return a + b }}).Parse(pageText))}
	return http.HandlerFunc(p.serve)
}

type page struct {
	version string
	read    func() Figures
	text    *template.Template

	mu             sync.Mutex
	older, newer   Pictures // at least a second apart
	olderAt, since time.Time
}

// view is what the page shows.
type view struct {
	Figures
	Version                 string
	Temperature             string
	Rated                   bool // the rates are known
	Captured, Encoded, Sent float64
	EncodeMS                float64
}

func (p *page) serve(w http.ResponseWriter, _ *http.Request) {
	v := view{Figures: p.read(), Version: p.version}
	then, span := p.before(v.Pictures, time.Now())
	v.rate(then, span)
	if c := v.Machine.Celsius; c != nil {
		v.Temperature = fmt.Sprintf("%.0f °C", *c)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	_ = p.text.Execute(w, v) // a reader that is gone needs no page
}

// before returns the counts of at least a second ago, and how long ago that was;
// several people may look at once.
func (p *page) before(now Pictures, at time.Time) (then Pictures, span time.Duration) {
	const least = time.Second
	p.mu.Lock()
	defer p.mu.Unlock()
	if at.Sub(p.since) >= least {
		p.older, p.olderAt = p.newer, p.since
		p.newer, p.since = now, at
	}
	if p.olderAt.IsZero() {
		return now, 0
	}
	return p.older, at.Sub(p.olderAt)
}

func (v *view) rate(then Pictures, span time.Duration) {
	if v.Rated = span > 0; !v.Rated {
		return
	}
	now := v.Pictures
	per := func(before, after uint64) float64 { return float64(after-before) / span.Seconds() }
	v.Captured, v.Encoded, v.Sent = per(then.Captured, now.Captured), per(then.Encoded, now.Encoded), per(then.Sent, now.Sent)
	if encoded := now.Encoded - then.Encoded; encoded > 0 {
		v.EncodeMS = (now.Encoding - then.Encoding).Seconds() * 1000 / float64(encoded)
	}
}

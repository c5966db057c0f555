package load

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"
)

// Report is what came of it. Times are milliseconds.
type Report struct {
	Robots      int     `json:"robots"`
	Apps        int     `json:"apps"`
	Seconds     float64 `json:"seconds"` // for which there were sessions
	ConnectsPer float64 `json:"connects_per_s"`
	Sessions    int     `json:"sessions"` // that came to their end
	SessionsPer float64 `json:"sessions_per_s"`
	MessagesPer float64 `json:"messages_per_s"` // that apps and robots were sent
	// Steps are [Steps], each from the end of the one before; "session" is all of
	// them, but for "connect".
	Steps map[string]Spread `json:"steps_ms"`
	// Lost counts connections, Errors what apps were refused with or waited for in
	// vain.
	Lost   int            `json:"lost"`
	Errors map[string]int `json:"errors"`
}

// Steps are what is measured, in order: a socket is connected, the app is told its
// credentials, it has the offer, it has all candidates back, the end is confirmed.
func Steps() []string {
	return []string{"connect", "credentials", "offer", "candidates", "close", "session"}
}

// Progress is how far it is.
type Progress struct {
	Connected, Ends int           // of robots and apps
	For             time.Duration // since all are
	Sessions        int
	Errors          int
	Lost            int
}

// Spread is how times are spread.
type Spread struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// figures are gathered by all robots and apps.
type figures struct {
	ends int // of all robots and apps

	mu               sync.Mutex
	connecting       time.Duration // of all of them
	began            time.Time     // with the sessions; zero before
	times            map[string][]time.Duration
	messages, losses int
	errors           map[string]int
}

func newFigures(ends int) *figures {
	return &figures{ends: ends, times: map[string][]time.Duration{}, errors: map[string]int{}}
}

func (f *figures) took(step string, d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.times[step] = append(f.times[step], d)
}

func (f *figures) cycled(laps []lap, all time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range laps {
		f.times[l.step] = append(f.times[l.step], l.took)
	}
	f.times["session"] = append(f.times["session"], all)
}

func (f *figures) allConnected(took time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.connecting = took
}

// start forgets the messages that came while everybody connected.
func (f *figures) start() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.messages, f.began = 0, time.Now()
}

func (f *figures) message() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.messages++
}

func (f *figures) lost() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.losses++
}

func (f *figures) failed(why string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.errors[why]++
}

// tell says once a second how far it is, until ctx ends.
func (f *figures) tell(ctx context.Context, progress func(Progress)) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			progress(f.progress())
		case <-ctx.Done():
			return
		}
	}
}

func (f *figures) progress() Progress {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := Progress{Connected: len(f.times["connect"]), Ends: f.ends, Sessions: len(f.times["session"]), Lost: f.losses}
	if !f.began.IsZero() {
		p.For = time.Since(f.began)
	}
	for _, n := range f.errors {
		p.Errors += n
	}
	return p
}

// report sums up. cycling is how long there were sessions.
func (f *figures) report(robots, apps int, cycling time.Duration) Report {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := Report{
		Robots: robots, Apps: apps, Seconds: math.Round(10*cycling.Seconds()) / 10,
		ConnectsPer: float64(len(f.times["connect"])) / f.connecting.Seconds(),
		Sessions:    len(f.times["session"]), SessionsPer: float64(len(f.times["session"])) / cycling.Seconds(),
		MessagesPer: float64(f.messages) / cycling.Seconds(),
		Steps:       map[string]Spread{}, Lost: f.losses, Errors: f.errors,
	}
	for _, step := range Steps() {
		r.Steps[step] = spread(f.times[step])
	}
	return r
}

// spread sorts the times.
func spread(times []time.Duration) Spread {
	if len(times) == 0 {
		return Spread{}
	}
	slices.Sort(times)
	at := func(share float64) float64 {
		return float64(times[int(share*float64(len(times)-1))].Microseconds()) / 1000
	}
	return Spread{at(0.5), at(0.95), at(0.99), at(1)}
}

package load

import (
	"slices"
	"sync"
	"time"
)

// Report is what came of it. Times are milliseconds.
type Report struct {
	Robots      int     `json:"robots"`
	Apps        int     `json:"apps"`
	ConnectsPer float64 `json:"connects_per_s"`
	Connect     Spread  `json:"connect_ms"`
	Cycles      int     `json:"cycles"`
	CyclesPer   float64 `json:"cycles_per_s"`
	// Told is from an app's request to its credentials, Cycle to the session's end.
	Told        Spread  `json:"told_ms"`
	Cycle       Spread  `json:"cycle_ms"`
	MessagesPer float64 `json:"messages_per_s"` // that apps and robots were sent
	// Lost counts connections, Errors what apps were refused with or waited for in
	// vain.
	Lost   int            `json:"lost"`
	Errors map[string]int `json:"errors"`
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
	connecting time.Duration // of all of them

	mu                  sync.Mutex
	connects, told, all []time.Duration
	messages, losses    int
	errors              map[string]int
}

func (f *figures) connected(took time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.connects = append(f.connects, took)
}

func (f *figures) cycled(told, all time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told, f.all = append(f.told, told), append(f.all, all)
}

// start forgets the messages that came while everybody connected.
func (f *figures) start() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.messages = 0
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

// report sums up. cycling is how long there were cycles.
func (f *figures) report(robots, apps int, cycling time.Duration) Report {
	f.mu.Lock()
	defer f.mu.Unlock()
	return Report{
		Robots: robots, Apps: apps,
		ConnectsPer: float64(len(f.connects)) / f.connecting.Seconds(), Connect: spread(f.connects),
		Cycles: len(f.all), CyclesPer: float64(len(f.all)) / cycling.Seconds(),
		Told: spread(f.told), Cycle: spread(f.all), MessagesPer: float64(f.messages) / cycling.Seconds(),
		Lost: f.losses, Errors: f.errors,
	}
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

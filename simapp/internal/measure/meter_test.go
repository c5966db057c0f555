package measure_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"wimz.dev/live/robot/testpattern"
	"wimz.dev/live/simapp/internal/measure"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

const frameTime = time.Second / 15

// unstamped stands for a picture without a stamp in a list of frame numbers.
const unstamped = -1

// show gives the meter one picture per frame time, each 20 ms old.
func show(m *measure.Meter, numbers ...int64) {
	at := start
	for _, n := range numbers {
		at = at.Add(frameTime)
		if n == unstamped {
			m.Picture(at, nil)
			continue
		}
		m.Picture(at, &testpattern.Stamp{Number: uint32(n), Captured: at.Add(-20 * time.Millisecond)})
	}
}

func TestStamps(t *testing.T) {
	type counts struct{ errors, lost, repeated, run, breaks int }
	for name, c := range map[string]struct {
		numbers []int64
		want    counts
	}{
		"all there":         {[]int64{7, 8, 9}, counts{run: 3}},
		"two lost":          {[]int64{7, 10, 11}, counts{lost: 2, run: 3}},
		"one twice":         {[]int64{7, 8, 8, 9}, counts{repeated: 1, run: 2, breaks: 1}},
		"one unreadable":    {[]int64{7, unstamped, 9}, counts{errors: 1, lost: 1, run: 1, breaks: 1}},
		"two unreadable":    {[]int64{7, unstamped, unstamped}, counts{errors: 2, breaks: 1}},
		"placeholder first": {[]int64{unstamped, unstamped, 1, 2}, counts{run: 2}},
		"wrap around":       {[]int64{1<<32 - 2, 1<<32 - 1, 0, 2}, counts{lost: 1, run: 4}},
		"source began anew": {[]int64{5000, 5001, 0, 1}, counts{repeated: 1, run: 2, breaks: 1}},
		"no stamps at all":  {[]int64{unstamped, unstamped}, counts{}},
		"nothing":           {nil, counts{}},
	} {
		t.Run(name, func(t *testing.T) {
			var m measure.Meter
			show(&m, c.numbers...)
			f := m.Figures()
			got := counts{f.StampErrors, f.Lost, f.Repeated, m.Run().Length, m.Run().Breaks}
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if f.Frames != len(c.numbers) {
				t.Errorf("%d frames, want %d", f.Frames, len(c.numbers))
			}
		})
	}
}

func TestFreezes(t *testing.T) {
	ms := func(list ...int) []int { return list }
	after40 := func(list ...int) []int { return append(slices.Repeat(ms(67), 40), list...) }
	for name, c := range map[string]struct {
		intervals []int
		want      int
	}{
		"steady":                      {after40(), 0},
		"just below mean plus 150":    {after40(216), 0},
		"just above mean plus 150":    {after40(218), 1},
		"slow: three times the mean":  {ms(200, 200, 200, 590), 0},
		"slow: more than three times": {ms(200, 200, 200, 610), 1},
		"the first has no mean":       {ms(5000), 0},
		"two freezes":                 {after40(1000, 67, 67, 1000), 2},
	} {
		t.Run(name, func(t *testing.T) {
			var m measure.Meter
			at := start
			m.Picture(at, nil)
			for _, interval := range c.intervals {
				at = at.Add(time.Duration(interval) * time.Millisecond)
				m.Picture(at, nil)
			}
			f := m.Figures()
			longest := time.Duration(slices.Max(c.intervals)) * time.Millisecond
			if f.Freezes != c.want || f.Longest != longest {
				t.Errorf("%d freezes, want %d; longest %v, want %v", f.Freezes, c.want, f.Longest, longest)
			}
		})
	}
}

func TestLatencyPercentiles(t *testing.T) {
	var m measure.Meter
	for i := range 100 {
		late := time.Duration(100-i) * time.Millisecond // 100 … 1 ms
		m.Picture(start, &testpattern.Stamp{Number: uint32(i), Captured: start.Add(-late)})
	}
	f := m.Figures()
	latest, ok := m.Latest()
	if f.P50 != 50*time.Millisecond || f.P95 != 95*time.Millisecond || latest != time.Millisecond || !ok {
		t.Errorf("p50 %v, p95 %v, latest %v", f.P50, f.P95, latest)
	}
}

func TestLatenciesAreBounded(t *testing.T) {
	var m measure.Meter
	for i := range 20_000 {
		late := time.Duration(i) * time.Microsecond
		m.Picture(start, &testpattern.Stamp{Number: uint32(i), Captured: start.Add(-late)})
	}
	f := m.Figures()
	if latest, _ := m.Latest(); f.P50 < 15*time.Millisecond || latest != 19_999*time.Microsecond {
		t.Errorf("p50 %v, latest %v: the old ones were kept", f.P50, latest)
	}
}

func TestRates(t *testing.T) {
	var m measure.Meter
	for i := range 150 {
		at := start.Add(time.Duration(i) * frameTime)
		m.Packet(6250, at)
		m.Packet(6250, at)
		m.Picture(at, nil)
	}
	f := m.Figures()
	if math.Abs(f.FPS-15) > 0.01 {
		t.Errorf("fps %v, want 15", f.FPS)
	}
	if math.Abs(f.Kbps-1500) > 15 {
		t.Errorf("%v kbit/s, want 1500", f.Kbps)
	}
	if f.Stamped {
		t.Error("stamped")
	}
}

func TestNothingMeasuredIsZero(t *testing.T) {
	var m measure.Meter
	if f := m.Figures(); f != (measure.Figures{}) {
		t.Errorf("%+v", f)
	}
}

package measure

import (
	"slices"
	"time"
)

const (
	// windowLen is how many latencies are kept: ten minutes at 15 a second.
	windowLen = 9000
	// intervalsLen is the number of frames the mean frame time is taken of, by
	// the definition of freezeCount.
	intervalsLen = 30
	// freezeSlack is added to the mean frame time, by the same definition.
	freezeSlack = 150 * time.Millisecond
)

// window keeps the latest durations.
type window struct {
	list []time.Duration
	next int // where the next one goes once the list is full
}

func (w *window) add(d time.Duration) {
	if len(w.list) < windowLen {
		w.list = append(w.list, d)
		return
	}
	w.list[w.next] = d
	w.next = (w.next + 1) % windowLen
}

func (w *window) latest() time.Duration {
	if len(w.list) == 0 {
		return 0
	}
	return w.list[(w.next+len(w.list)-1)%len(w.list)]
}

func (w *window) sorted() []time.Duration {
	list := slices.Clone(w.list)
	slices.Sort(list)
	return list
}

// percentile is the smallest value that p percent of the list do not exceed
// (nearest rank), zero for an empty list.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := (len(sorted)*p + 99) / 100
	return sorted[max(rank, 1)-1]
}

// intervals are the latest times between two pictures.
type intervals struct {
	list [intervalsLen]time.Duration
	n    int
	sum  time.Duration
}

// add records one interval and reports whether it was a freeze: longer than
// three times the mean frame time, and than the mean plus 150 ms (freezeCount
// of W3C webrtc-stats). The first interval has no mean to be compared with.
func (v *intervals) add(d time.Duration) (freeze bool) {
	if n := min(v.n, intervalsLen); n > 0 {
		mean := v.sum / time.Duration(n)
		freeze = d > max(3*mean, mean+freezeSlack)
	}
	slot := &v.list[v.n%intervalsLen]
	v.sum += d - *slot
	*slot = d
	v.n++
	return freeze
}

package doctor

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"wimz.dev/live/simapp"
)

// check is one look at something.
type check struct {
	name  string
	needs []string      // checks without which this one makes no sense
	limit time.Duration // 0: the usual
	look  func(context.Context) Result
}

// visit is one run of the checks.
type visit struct {
	Config

	end     time.Time
	results []Result
	causes  map[string]string // by check that is of no use to others: the one that failed first

	// what checks have found out for those after them
	at       relayAddress
	ahead    time.Duration // the relay's clock before ours; see clockAhead
	answered bool          // the relay has told the time
	token    string
	devices  []simapp.DeviceStatus
	phone    *simapp.Phone
	degraded chan struct{} // has an entry if a session got no TURN servers
	servers  []server
}

// do makes a check, unless something it needs has failed or the time is over.
func (v *visit) do(ctx context.Context, c check) {
	if ctx.Err() != nil {
		return // nobody waits for the rest
	}
	r := v.skip(c)
	if r.Outcome == "" {
		r = v.look(ctx, c)
		if ctx.Err() != nil {
			return // cut off, and no fault
		}
	}
	r.Check = c.name
	if _, known := v.causes[c.name]; r.Outcome == Failed && !known {
		v.causes[c.name] = c.name
	}
	v.results = append(v.results, r)
	if v.Done != nil {
		v.Done(r)
	}
}

// skip returns a result for a check that is not made, and else none.
func (v *visit) skip(c check) Result {
	for _, needed := range c.needs {
		if cause, ok := v.causes[needed]; ok {
			v.causes[c.name] = cause
			return Result{Outcome: Skipped, Text: fmt.Sprintf("not looked at, because the check of %q failed", cause)}
		}
	}
	if time.Until(v.end) <= 0 {
		v.causes[c.name] = c.name
		return Result{Outcome: Skipped, Text: fmt.Sprintf("not looked at: the %s for all checks are over", wholeTime)}
	}
	return Result{}
}

func (v *visit) look(ctx context.Context, c check) Result {
	began := time.Now()
	limit := began.Add(cmp.Or(v.patience, c.limit, checkTime))
	if v.end.Before(limit) {
		limit = v.end
	}
	ctx, cancel := context.WithDeadline(ctx, limit)
	defer cancel()
	r := c.look(ctx)
	r.TookMS = millis(time.Since(began))
	return r
}

// hangUp ends the connection to the relay.
func (v *visit) hangUp() {
	if v.phone != nil {
		v.phone.Close()
	}
}

// good and bad make results.
func good(format string, args ...any) Result {
	return Result{Outcome: OK, Text: fmt.Sprintf(format, args...)}
}

func bad(advice, format string, args ...any) Result {
	return Result{Outcome: Failed, Text: fmt.Sprintf(format, args...), Advice: advice}
}

func (r Result) advise(advice string) Result {
	r.Advice = advice
	return r
}

// failed is the result of an error that came from the relay or on the way there.
func (v *visit) failed(err error) Result {
	r := Result{Outcome: Failed, Text: plain(err)}
	if v.Advise != nil {
		r.Advice = v.Advise(err)
	}
	return r
}

func millis(d time.Duration) float64 {
	return float64(d.Round(100*time.Microsecond)) / float64(time.Millisecond)
}

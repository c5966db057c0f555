package stream

import (
	"testing"
	"time"
)

func TestKeyLimiter(t *testing.T) {
	type step struct {
		at            time.Duration
		request, made bool
		take          bool // expected
	}
	const ms = time.Millisecond
	for name, steps := range map[string][]step{
		"nobody asks":              {{at: 0}, {at: time.Hour}},
		"the first is at once":     {{at: 0, request: true, take: true}, {at: time.Hour}},
		"an early one waits":       {{request: true, take: true}, {at: 60 * ms, request: true}, {at: 119 * ms}, {at: 120 * ms, take: true}, {at: time.Hour}},
		"several are one":          {{request: true, take: true}, {at: 10 * ms, request: true}, {at: 20 * ms, request: true}, {at: 130 * ms, take: true}, {at: 300 * ms}},
		"the encoder's own serves": {{at: 10 * ms, request: true, made: true}, {at: 500 * ms}},
		"the encoder's own counts": {{at: 10 * ms, made: true}, {at: 50 * ms, request: true}, {at: 130 * ms, take: true}},
	} {
		t.Run(name, func(t *testing.T) {
			var k keyLimiter
			start := time.Now()
			for i, s := range steps {
				if s.request {
					k.request()
				}
				if s.made {
					k.made(start.Add(s.at))
				}
				if got := k.take(start.Add(s.at)); got != s.take {
					t.Errorf("step %d at %v: take is %v", i, s.at, got)
				}
			}
		})
	}
}

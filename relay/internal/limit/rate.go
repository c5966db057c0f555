package limit

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"golang.org/x/time/rate"
)

// Rate is how often something may be done: Burst times at once, and once more
// every Every. The zero Rate is no limit.
type Rate struct {
	Burst int
	Every time.Duration
}

// Limiter returns a token bucket of the rate, filled.
func (r Rate) Limiter() *rate.Limiter {
	if r == (Rate{}) {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Every(r.Every), r.Burst)
}

// Plus returns the rate of two together.
func (r Rate) Plus(other Rate) Rate {
	if r == (Rate{}) || other == (Rate{}) {
		return Rate{}
	}
	perSecond := 1/r.Every.Seconds() + 1/other.Every.Seconds()
	return Rate{r.Burst + other.Burst, time.Duration(float64(time.Second) / perSecond)}
}

// Times returns a rate n times as high.
func (r Rate) Times(n int) Rate {
	return Rate{r.Burst * n, r.Every / time.Duration(n)}
}

// RetryAfter returns how long somebody who was refused has to wait, in whole
// seconds as HTTP and the wire say it: rounded up, so at least one.
func (r Rate) RetryAfter() int {
	return int((r.Every + time.Second - 1) / time.Second)
}

// String writes the rate as [Rate.UnmarshalText] reads it: 300+100/s.
func (r Rate) String() string {
	if r == (Rate{}) {
		return "none"
	}
	for _, unit := range units {
		if n := unit.span / r.Every; n > 0 && unit.span/n == r.Every {
			return fmt.Sprintf("%d+%d/%s", r.Burst, n, unit.name)
		}
	}
	return fmt.Sprintf("%d+1/%s", r.Burst, r.Every)
}

// UnmarshalText reads "300+100/s": 300 at once and 100 more every second. The
// other units are m and h.
func (r *Rate) UnmarshalText(text []byte) error {
	parts := regexp.MustCompile(`^([1-9]\d{0,8})\+([1-9]\d{0,5}|1000000)/([smh])$`).FindSubmatch(text)
	if parts == nil {
		return fmt.Errorf("expected a rate such as 300+100/s (300 at once and 100 more every s, m or h) but got %q", text)
	}
	number := func(digits []byte) int {
		n, _ := strconv.Atoi(string(digits)) // the expression lets only numbers through
		return n
	}
	for _, unit := range units {
		if unit.name == string(parts[3]) {
			*r = Rate{number(parts[1]), unit.span / time.Duration(number(parts[2]))}
		}
	}
	return nil
}

//nolint:gochecknoglobals // a constant table
var units = [...]struct {
	name string
	span time.Duration
}{{"s", time.Second}, {"m", time.Minute}, {"h", time.Hour}}

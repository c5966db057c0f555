package doctor

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// health asks whether it is a relay that answers, and what time it is there.
func (v *visit) health(ctx context.Context) Result {
	began := time.Now()
	answer, err := v.get(ctx, "/health")
	if err != nil {
		return v.failed(err)
	}
	if there, err := http.ParseTime(answer.date); err == nil {
		v.answered, v.ahead = true, clockAhead(there, began, time.Now())
	}
	switch {
	case answer.status == http.StatusOK:
		return good("the relay answers")
	case answer.status/100 == 3 && !v.at.secure:
		return bad("use wss:// in the relay's address", "it sends us elsewhere (%d)", answer.status)
	case answer.status == http.StatusBadRequest && !v.at.secure:
		return bad("use wss:// in the relay's address if it speaks TLS; if not, check that it is a relay that listens there",
			"it answers %s, as servers do that speak TLS", answer)
	default:
		return bad("check that it is a relay that listens there; a proxy before it must pass /health, /ready, /api and /ws on",
			"it answers %s", answer)
	}
}

// ready asks whether the relay can work.
func (v *visit) ready(ctx context.Context) Result {
	answer, err := v.get(ctx, "/ready")
	switch {
	case err != nil:
		return v.failed(err)
	case answer.status == http.StatusOK:
		return good("the relay is ready for work")
	default:
		return bad("look at the relay's log; most likely its database does not work, or it is being restarted",
			"it answers %s", answer)
	}
}

// answer is what is of interest of the relay's.
type answer struct {
	status int
	date   string
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)) }

// get asks the relay for a page.
func (v *visit) get(ctx context.Context, path string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, v.at.base.JoinPath(path).String(), nil)
	if err != nil {
		return answer{}, err
	}
	browser := http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: v.dialer().DialContext,
			TLSClientConfig: v.tlsConfig(v.at.name), DisableKeepAlives: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := browser.Do(request)
	if err != nil {
		return answer{}, err
	}
	return answer{response.StatusCode, response.Header.Get("Date")}, response.Body.Close()
}

// maxAhead is how far clocks may be apart. Commands older than 2 s are refused.
const maxAhead = 2 * time.Second

// clockAhead returns by how much, at least, a clock is before this machine's that
// said what the second was there between two moments here; zero if they may agree.
func clockAhead(there, began, ended time.Time) time.Duration {
	if least := there.Sub(ended); least > 0 {
		return least
	}
	if most := there.Add(time.Second).Sub(began); most < 0 {
		return most
	}
	return 0
}

// clock compares this machine's with the relay's.
func (v *visit) clock(context.Context) Result {
	const advice = "set the clock of this machine (or of the relay's): commands seem too old, and latency is measured wrong"
	switch {
	case !v.answered:
		return Result{Outcome: Skipped, Text: "the relay does not tell the time"}
	case v.ahead > maxAhead:
		return bad(advice, "this machine's clock is %s behind the relay's", span(v.ahead))
	case v.ahead < -maxAhead:
		return bad(advice, "this machine's clock is %s ahead of the relay's", span(-v.ahead))
	default:
		return good("this machine's clock agrees with the relay's")
	}
}

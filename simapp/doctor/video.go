package doctor

import (
	"context"
	"fmt"

	"wimz.dev/live/simapp"
)

// video watches the robot until its first picture.
func (v *visit) video(ctx context.Context) Result {
	viewing, err := v.phone.Watch(ctx, simapp.Options{Device: v.Device})
	if err != nil {
		return v.failed(err)
	}
	defer viewing.Close()
	var r Result
	select {
	case <-viewing.Live():
		r = good("the first picture of %s came", v.Device)
	case <-viewing.Done():
		r = v.failed(viewing.Err())
	case <-ctx.Done():
		r = bad("look at which step is missing, and at the robot's log", "no picture of %s in time", v.Device)
	}
	report := viewing.Report()
	r.Video = &report
	if report.TTFF != nil {
		r.Text = fmt.Sprintf("%s after %.0f ms", r.Text, *report.TTFF)
	}
	select {
	case <-v.degraded:
		r.Text += "; the relay had no TURN servers for the session"
		if r.Advice == "" {
			r.Advice = "from another network there may be no path; the relay's log says why its TURN provider fails"
		}
	default:
	}
	return r
}

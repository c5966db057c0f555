package figures_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wimz.dev/live/robot/internal/figures"
	"wimz.dev/live/robot/internal/machine"
)

// TestPage: rates are those of the last seconds, however many look at once.
func TestPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		warm := 71.4
		now := figures.Figures{Relay: "disconnected", Dropped: []uint64{17, 4}, Machine: machine.State{
			Celsius: &warm, Power: &machine.Power{HadUnderVoltage: true},
		}}
		page := figures.Page("v1.2.3", func() figures.Figures { return now })
		get := func() string {
			w := httptest.NewRecorder()
			page.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
			return w.Body.String()
		}
		first := get()
		for _, want := range []string{
			`class="bad">disconnected`, "71 °C", "was too weak", ">no</td>", "v1.2.3",
			"viewer 1</th><td>17<", "viewer 2</th><td>4<",
		} {
			if !strings.Contains(first, want) {
				t.Errorf("it does not say %q:\n%s", want, first)
			}
		}
		if strings.Contains(first, "per second") {
			t.Error("rates of nothing")
		}
		var second, third string
		for range 5 {
			<-time.After(2 * time.Second)
			now.Pictures.Captured += 30
			now.Pictures.Encoded += 28
			now.Pictures.Sent += 56
			now.Pictures.Encoding += 28 * 12 * time.Millisecond
			second, third = get(), get()
		}
		for _, want := range []string{"15.0 per second", "14.0 per second", "28.0 per second", "12.0 ms"} {
			if !strings.Contains(second, want) || !strings.Contains(third, want) {
				t.Errorf("it does not say %q:\n%s", want, second)
			}
		}
	})
}

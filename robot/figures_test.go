package robot

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"wimz.dev/live/relay/wire"
)

// fetch gets a page of the robot's status server.
func (g *rig) fetch(path string) (text string, header http.Header) {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.Addr().String()+path, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		g.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		g.t.Fatalf("%s: %s, %v", path, response.Status, err)
	}
	return string(body), response.Header
}

// figure reads one from the metrics.
func (g *rig) figure(metrics, name string) float64 {
	g.t.Helper()
	found := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\S+)$`).FindStringSubmatch(metrics)
	if found == nil {
		g.t.Fatalf("no %s in\n%s", name, metrics)
	}
	v, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		g.t.Fatal(err)
	}
	return v
}

func TestFigures(t *testing.T) {
	g := start(t, nil)
	one, two := g.watch("s1"), g.watch("s2")
	mustFlow(t, one)
	mustFlow(t, two)
	g.dropped[1].Add(1000)
	metrics, _ := g.fetch("/metrics")
	// On a busy machine one of them may have a smaller picture for a while.
	for end := time.Now().Add(patience); g.figure(metrics, "wimz_robot_encoders") > 1 && time.Now().Before(end); {
		mustFlow(t, one)
		mustFlow(t, two)
		metrics, _ = g.fetch("/metrics")
	}
	for name, want := range map[string]float64{
		"wimz_robot_relay_connected": 1, "wimz_robot_viewers": 2, "wimz_robot_peer_connections": 2, "wimz_robot_encoders": 1,
	} {
		if got := g.figure(metrics, name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	captured, encoded := g.figure(metrics, `wimz_robot_pictures_total{step="captured"}`), g.figure(metrics, `wimz_robot_pictures_total{step="encoded"}`)
	sent := g.figure(metrics, `wimz_robot_pictures_total{step="sent"}`)
	if captured < encoded || encoded == 0 || sent <= encoded || sent > 2*encoded {
		t.Errorf("%v captured, %v encoded, %v sent to two", captured, encoded, sent)
	}
	if took := g.figure(metrics, "wimz_robot_encoding_seconds_total") / encoded; took <= 0 || took > 1 {
		t.Errorf("encoding takes %v s", took)
	}
	if n := g.figure(metrics, `wimz_robot_viewer_pictures_dropped_total{viewer="1"}`); n >= 1000 {
		t.Errorf("%v pictures dropped for the first viewer", n)
	}
	if n := g.figure(metrics, `wimz_robot_viewer_pictures_dropped_total{viewer="2"}`); n < 1000 || n >= 2000 {
		t.Errorf("%v pictures dropped for the second viewer", n)
	}
	page, header := g.fetch("/")
	if !strings.Contains(page, "<td>2</td>") || !strings.Contains(page, "connected") {
		t.Errorf("the page:\n%s", page)
	}
	if strings.Contains(page, "://") || !strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("the page may ask others:\n%s", page)
	}
}

// TestPlaces: what is counted for a viewer is counted for a place, of which there are
// few, and each is had by one.
func TestPlaces(t *testing.T) {
	g := start(t, nil)
	place := func(id wire.SessionID) int { return g.session(id).place }
	g.request("s1")
	g.request("s2")
	if place("s1") != 0 || place("s2") != 1 {
		t.Errorf("places %d and %d", place("s1"), place("s2"))
	}
	g.message(wire.Message{Type: wire.TypeClose, SessionID: "s1"})
	g.request("s3")
	if place("s3") != 0 || place("s2") != 1 {
		t.Errorf("places %d and %d after the first left", place("s3"), place("s2"))
	}
}

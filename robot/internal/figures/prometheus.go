package figures

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// scrapeTime bounds a scrape.
const scrapeTime = 5 * time.Second

// Handler serves the figures in Prometheus' text format, read anew each time.
func Handler(version string, read func() Figures) http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		newCollector(version, read),
	)
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{Timeout: scrapeTime, MaxRequestsInFlight: 4})
}

// collector implements prometheus.Collector.
type collector struct {
	read func() Figures

	build, relay, viewers, connections, encoders *prometheus.Desc
	pictures, skipped, dropped, encoding         *prometheus.Desc
	celsius, throttled                           *prometheus.Desc
}

func newCollector(version string, read func() Figures) *collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("wimz_robot_"+name, help, labels, nil)
	}
	return &collector{
		read:        read,
		build:       prometheus.NewDesc("wimz_robot_build_info", "1, with the version of the robot.", nil, prometheus.Labels{"version": version}),
		relay:       desc("relay_connected", "1 while the relay can be reached."),
		viewers:     desc("viewers", "Sessions, from the request on."),
		connections: desc("peer_connections", "Sessions and those that are being closed."),
		encoders:    desc("encoders", "Encoders that run."),
		pictures:    desc("pictures_total", "Pictures by how far they came.", "step"),
		skipped:     desc("pictures_skipped_total", "Pictures for which an encoder was too slow."),
		dropped:     desc("viewer_pictures_dropped_total", "Encoded pictures that a viewer was not sent, by place.", "viewer"),
		encoding:    desc("encoding_seconds_total", "Time that encoders worked."),
		celsius:     desc("temperature_celsius", "Of the board's warmest zone."),
		throttled:   desc("board_limited", "1 while the board is held back, by what.", "by"),
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(to chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, to) }

// Collect implements prometheus.Collector.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	f := c.read()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	gauge(c.build, 1)
	gauge(c.relay, one(f.Relay == "connected"))
	gauge(c.viewers, float64(f.Viewers))
	gauge(c.connections, float64(f.PeerConnections))
	gauge(c.encoders, float64(f.Encoders))
	counter(c.pictures, float64(f.Pictures.Captured), "captured")
	counter(c.pictures, float64(f.Pictures.Encoded), "encoded")
	counter(c.pictures, float64(f.Pictures.Sent), "sent")
	counter(c.skipped, float64(f.Pictures.Skipped))
	for place, n := range f.Dropped {
		counter(c.dropped, float64(n), strconv.Itoa(place+1))
	}
	counter(c.encoding, f.Pictures.Encoding.Seconds())
	if f.Machine.Celsius != nil {
		gauge(c.celsius, *f.Machine.Celsius)
	}
	if p := f.Machine.Power; p != nil {
		gauge(c.throttled, one(p.UnderVoltage), "supply")
		gauge(c.throttled, one(p.Throttled), "firmware")
	}
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

package metrics

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store/sqlstore"
	"wimz.dev/live/relay/internal/turn"
)

// TestDashboardAndAlerts holds every query in relay/deploy to what a relay
// exports: names, labels, and the values they are compared with.
func TestDashboardAndAlerts(t *testing.T) {
	exported := exports(t)
	for file, queries := range map[string][]string{
		"grafana-dashboard.json": dashboard(t, "../../deploy/grafana-dashboard.json"),
		"prometheus-alerts.yaml": alerts(t, "../../deploy/prometheus-alerts.yaml"),
	} {
		if len(queries) < 10 {
			t.Errorf("%s has %d queries", file, len(queries))
		}
		for _, query := range queries {
			for _, problem := range exported.check(query) {
				t.Errorf("%s: %s in %s", file, problem, query)
			}
		}
	}
}

// TestCheckFindsMistakes in queries.
func TestCheckFindsMistakes(t *testing.T) {
	exported := exports(t)
	for query, want := range map[string]string{
		`sum by (kind) (wimz_relay_sockets{kind="robot",instance=~"$instance"}) > 0`:   "",
		`histogram_quantile(0.9, rate(wimz_relay_forward_seconds_bucket{le="1"}[5m]))`: "",
		`wimz_relay_socket`:                                        "no metric wimz_relay_socket",
		`rate(wimz_relay_forward_seconds[5m])`:                     "no metric wimz_relay_forward_seconds",
		`wimz_relay_sockets{kin="robot"}`:                          "no label kin",
		`wimz_relay_sockets{kind="robots"}`:                        "no value robots of kind",
		`wimz_relay_sessions_ended_total{reason=~"app_left|gone"}`: "no value gone of reason",
		`sum(wimz_relay_sockets`:                                   "unbalanced brackets",
	} {
		if got := strings.Join(exported.check(query), ", "); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
}

func dashboard(t *testing.T, path string) (queries []string) {
	t.Helper()
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &board)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, panel := range board.Panels {
		for _, target := range panel.Targets {
			queries = append(queries, target.Expr)
		}
	}
	return queries
}

// alerts reads a rule file as strictly as Prometheus does.
func alerts(t *testing.T, path string) (queries []string) {
	t.Helper()
	var rules struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr         string
				For                 time.Duration
				Labels, Annotations map[string]string
			}
		}
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	decoder := yaml.NewDecoder(file)
	decoder.KnownFields(true)
	if err := decoder.Decode(&rules); err != nil {
		t.Fatal(err)
	}
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			if rule.Alert == "" || rule.Labels["severity"] == "" || rule.Annotations["summary"] == "" {
				t.Errorf("%s lacks a name, a severity or a summary", rule.Expr)
			}
			queries = append(queries, rule.Expr)
		}
	}
	return queries
}

// exported is what a relay exports: values by metric and label.
type exported map[string]map[string][]string

// exports scrapes a relay to which everything has happened that names a value.
func exports(t *testing.T) exported {
	t.Helper()
	m := New("test")
	m.Requests.Answered("GET /health", 200)
	m.Requests.Unauthenticated("no token")
	db, err := sqlstore.Open(t.Context(), config.MemoryDatabase)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	m.Store(db)
	m.Breaker(turn.NewBreaker(turn.None{}, nil))
	pool, err := turn.NewPool(t.Context(), turn.PoolConfig{IdentifierKey: []byte("k")})
	if err != nil {
		t.Fatal(err)
	}
	m.Pool(pool)
	all := exported{"up": {}}
	for series := range scrape(t, m) {
		name, labels, _ := strings.Cut(series, "{")
		if all[name] == nil {
			all[name] = map[string][]string{}
		}
		for _, label := range labelled.FindAllStringSubmatch(labels, -1) {
			all[name][label[1]] = append(all[name][label[1]], label[3])
		}
	}
	return all
}

var (
	labelled = regexp.MustCompile(`(\w+)(=~|!~|!=|=)"([^"]*)"`)
	selector = regexp.MustCompile(`\b((?:wimz_relay|go|process)_\w+|up\b)(\{[^}]*\})?`)
)

// check returns what a query names that is not exported. Prometheus itself adds
// the labels instance and job.
func (e exported) check(query string) (problems []string) {
	for _, pair := range []string{"()", "{}", "[]"} {
		if strings.Count(query, pair[:1]) != strings.Count(query, pair[1:]) {
			problems = append(problems, "unbalanced brackets")
		}
	}
	for _, found := range selector.FindAllStringSubmatch(query, -1) {
		labels, known := e[strings.TrimPrefix(found[1], namespace+"_")]
		if !known {
			problems = append(problems, "no metric "+found[1])
			continue
		}
		for _, label := range labelled.FindAllStringSubmatch(found[2], -1) {
			problems = append(problems, wrongLabel(labels, label[1], label[2], label[3])...)
		}
	}
	return problems
}

func wrongLabel(labels map[string][]string, name, operator, value string) (problems []string) {
	if name == "instance" || name == "job" {
		return nil
	}
	values, known := labels[name]
	if !known {
		return []string{"no label " + name}
	}
	wanted := []string{value}
	if strings.HasSuffix(operator, "~") {
		wanted = strings.Split(value, "|")
	}
	for _, one := range wanted {
		if !slices.Contains(values, one) {
			problems = append(problems, "no value "+one+" of "+name)
		}
	}
	return problems
}

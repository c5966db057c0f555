package wire

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// contract returns the text of CONTRACT.md from one heading or phrase to
// another.
func contract(t *testing.T, from, to string) string {
	t.Helper()
	data, err := os.ReadFile("CONTRACT.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(data), from)
	part, _, ended := strings.Cut(rest, to)
	if !found || !ended {
		t.Fatalf("CONTRACT.md has nothing from %q to %q", from, to)
	}
	return part
}

// constants returns the values of this package's constants of a named type, by
// reading the source: one that is added and not written down is found.
func constants(t *testing.T, typeName string) []string {
	t.Helper()
	var values []string
	for _, file := range []string{"message.go", "limits.go"} {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == typeName {
				if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
					values = append(values, strings.Trim(literal.Value, `"`))
				}
			}
			return true
		})
	}
	slices.Sort(values)
	return slices.Compact(values)
}

// senders reads the second column of the signaling table: who may send, where
// the relay passes on everything that is not for itself.
func senders(t *testing.T, direction string) Party {
	t.Helper()
	direction = strings.TrimSpace(direction)
	if direction == "both ways" || direction == "either → relay → both" {
		return App | Robot | Relay
	}
	parties := map[string]Party{"app": App, "robot": Robot, "relay": Relay, "both": App | Robot}
	hops := strings.Split(direction, " → ")
	from, to := parties[hops[0]], parties[hops[len(hops)-1]]
	if from == 0 || to == 0 {
		t.Fatalf("CONTRACT.md has a direction this test cannot read: %q", direction)
	}
	if to != Relay {
		from |= Relay
	}
	return from
}

func TestContractSignalingTable(t *testing.T) {
	row := regexp.MustCompile(`(?m)^\| \d+ \*\*\[.\]\*\* \| ([^|]+) \| (.+) \|$`)
	answered := regexp.MustCompile("→ `(webrtc_[a-z]+)`")
	named := regexp.MustCompile("\"type\":\"(webrtc_[a-z]+)\"|`(webrtc_[a-z]+)`")
	want := map[Type]Party{}
	rows := row.FindAllStringSubmatch(contract(t, "## 4. Signaling messages", "### Session life"), -1)
	for _, r := range rows {
		from, text := senders(t, r[1]), r[2]
		if answer := answered.FindStringSubmatch(text); answer != nil {
			want[Type(answer[1])] |= Relay
			text = strings.ReplaceAll(text, answer[0], "")
		}
		names := named.FindStringSubmatch(text)
		if names == nil {
			t.Fatalf("no message in the row %q", r[0])
		}
		want[Type(names[1]+names[2])] |= from
	}
	if len(rows) != 11 {
		t.Errorf("the table has %d rows, this test has read other", len(rows))
	}
	got := map[Type]Party{}
	for kind, r := range ruleOf {
		if strings.HasPrefix(string(kind), "webrtc_") {
			got[kind] = r.from
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("the code has\n%v\nCONTRACT.md has\n%v", got, want)
	}
}

// TestContractTypes: every type has a rule, and every type is written down.
func TestContractTypes(t *testing.T) {
	text := contract(t, "## 3. WebSockets", "## 6. Media")
	types := constants(t, "Type")
	for _, kind := range types {
		if _, ruled := ruleOf[Type(kind)]; !ruled {
			t.Errorf("%s has no rule", kind)
		}
		if !strings.Contains(text, "`"+kind+"`") && !strings.Contains(text, `"type":"`+kind+`"`) {
			t.Errorf("%s is not in CONTRACT.md", kind)
		}
	}
	if len(types) != len(ruleOf) {
		t.Errorf("%d types, %d rules", len(types), len(ruleOf))
	}
}

// TestContractEvents: the types of events are those that are written down.
func TestContractEvents(t *testing.T) {
	text := contract(t, "Events: the known types", "Others are sent as")
	want := map[Type]bool{}
	for _, found := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(text, -1) {
		want[Type(found[1])] = true
	}
	if !maps.Equal(eventTypes, want) {
		t.Errorf("the code has\n%v\nCONTRACT.md has\n%v", eventTypes, want)
	}
	for kind := range ruleOf {
		if eventTypes[kind] && kind != TypeEvent {
			t.Errorf("%s is a message and an event", kind)
		}
	}
}

func TestContractErrorCodes(t *testing.T) {
	text := contract(t, "Session errors to the app:", "Every failed request ends")
	var want []string
	for _, found := range regexp.MustCompile("`([A-Z_]+)`").FindAllStringSubmatch(text, -1) {
		want = append(want, found[1])
	}
	slices.Sort(want)
	if got := constants(t, "Code"); !slices.Equal(got, want) {
		t.Errorf("the code has\n%v\nCONTRACT.md has\n%v", got, want)
	}
}

func TestContractCloseCodes(t *testing.T) {
	limits := contract(t, "### 3.3 Liveness and limits", "Close codes:")
	text := contract(t, "Close codes:", "## 4.")
	found := regexp.MustCompile(`close (\d{4})`).FindStringSubmatch(limits)
	if found == nil {
		t.Fatal("no close code for frames that are too large")
	}
	want := []string{found[1]}
	for code := range strings.SplitSeq(text, "·") {
		number, meaning, _ := strings.Cut(strings.TrimSpace(code), " ")
		want = append(want, number)
		n, err := strconv.Atoi(number)
		if err != nil {
			t.Fatalf("CONTRACT.md has a close code this test cannot read: %q", code)
		}
		ends := strings.Contains(meaning, "log in again") || strings.Contains(meaning, "do not retry")
		if CloseCode(n).Retry() == ends {
			t.Errorf("%d: Retry() is %t, CONTRACT.md says %q", n, !ends, meaning)
		}
	}
	slices.Sort(want)
	if got := constants(t, "CloseCode"); !slices.Equal(got, want) {
		t.Errorf("the code has\n%v\nCONTRACT.md has\n%v", got, want)
	}
}

func TestContractLimits(t *testing.T) {
	seconds := func(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) }
	for _, phrase := range []string{
		fmt.Sprintf("Protocol ping every %s s", seconds(PingInterval)),
		fmt.Sprintf("read deadline %s s", seconds(ReadTimeout)),
		fmt.Sprintf("Text frames ≤ %d KiB", MaxFrame>>10),
		fmt.Sprintf("(offer %s s, answer %s s)", seconds(OfferTimeout), seconds(AnswerTimeout)),
		fmt.Sprintf("accepted within ±%s s", seconds(SignatureWindow)),
		fmt.Sprintf("`command` is 1…%d of", MaxNameLen),
		fmt.Sprintf("at most %d KiB, at most %d deep", MaxData>>10, MaxDepth),
		fmt.Sprintf("older than %s s → `STALE_COMMAND`", seconds(MaxCommandAge)),
		fmt.Sprintf("more than %s s in the future", seconds(MaxClockLead)),
		fmt.Sprintf("64 KiB − %d bytes", MaxFilledIn),
	} {
		if text := contract(t, "## 3. WebSockets", "## 6. Media"); !strings.Contains(text, phrase) {
			t.Errorf("CONTRACT.md does not say %q", phrase)
		}
	}
	if 2*PingInterval >= ReadTimeout {
		t.Error("a lost ping would end a connection")
	}
}

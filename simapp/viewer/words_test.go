package viewer_test

import (
	"os"
	"strings"
	"testing"

	"wimz.dev/live/relay/wire"
)

// Every error of the contract has a sentence for the visitor.
func TestEveryErrorHasWords(t *testing.T) {
	data, err := os.ReadFile("page/words.js")
	if err != nil {
		t.Fatal(err)
	}
	words := string(data)
	for _, code := range []wire.Code{
		wire.CodeNoDevice, wire.CodeNotAuthorized, wire.CodeDeviceOffline, wire.CodeTURNError,
		wire.CodeViewerLimit, wire.CodeOfferTimeout, wire.CodeAnswerTimeout, wire.CodeSessionUnknown,
		wire.CodeRateLimited, wire.CodeTooLarge, wire.CodeBadMessage, wire.CodeInternal,
	} {
		if !strings.Contains(words, "\n  "+string(code)+": {") {
			t.Errorf("no words for %s", code)
		}
	}
	for _, reason := range []wire.Reason{
		wire.ReasonRobotLeft, wire.ReasonSuperseded, wire.ReasonAppGone, wire.ReasonRobotGone,
		wire.ReasonOfferTimeout, wire.ReasonAnswerTimeout, wire.ReasonRobotError,
		wire.ReasonUnauthorized, wire.ReasonTooSlow,
	} {
		if !strings.Contains(words, "\n  "+string(reason)+": ") {
			t.Errorf("no words for %s", reason)
		}
	}
}

// The page is read by phones on bad networks.
func TestPageIsSmall(t *testing.T) {
	entries, err := os.ReadDir("page")
	if err != nil {
		t.Fatal(err)
	}
	var total int64
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
	}
	if total > 150_000 {
		t.Errorf("the page has %d bytes, want at most 150000", total)
	}
}

//go:build linux

// Package networks holds the suite that runs the system where its users are:
// behind routers and firewalls, on networks that change and fail. The networks
// are Linux network namespaces, the programs are those that are shipped, and
// the TURN server is coturn.
package networks

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"wimz.dev/live/e2e/harness"
)

// specTime bounds every spec: none waits for ever, whatever is broken.
const specTime = 60 * time.Second

// barred is why this process may not make networks.
var barred error

func TestMain(m *testing.M) {
	barred = harness.Seclude()
	m.Run()
}

func TestNetworks(t *testing.T) {
	switch {
	case errors.Is(barred, unix.EPERM) && os.Getenv("CI") != "true":
		t.Skip("The networks suite needs root, to make network namespaces: sudo -E make e2e")
	case barred != nil:
		t.Fatalf("The networks suite needs root, to make network namespaces: %v", barred)
	}
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(20 * time.Second)
	SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	RunSpecs(t, "WIM-Z live video in networks")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	dir, err := filepath.Abs(cmp.Or(os.Getenv("E2E_BIN"), "../../.bin"))
	Expect(err).NotTo(HaveOccurred())
	Expect(harness.Binaries{Dir: dir}.Check()).To(Succeed())
	internet(ctx, dir)
}, NodeTimeout(time.Minute))

var _ = JustAfterEach(func(ctx SpecContext) {
	if CurrentSpecReport().Failed() {
		Expect(coturn.CopyLog(ctx, GinkgoWriter)).To(Succeed())
	}
})

var _ = ReportAfterSuite("what was measured", func(r Report) {
	if coturn != nil {
		_, _ = fmt.Fprintln(os.Stdout, "TURN server of this run:", coturn.Kind)
		writeTable(os.Stdout, r)
	}
})

package e2e

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
)

var _ = inBrowser("The page", func() {
	It("can be used by everybody, in every state, on a desktop and on a phone, light and dark", func(ctx SpecContext) {
		s := brisk(ctx, harness.Options{})
		_, err := s.AddDevice(ctx, "wimz_other", s.owner)
		Expect(err).NotTo(HaveOccurred())
		t := s.viewer(ctx)
		Eventually(t.State).Should(Equal("login"))
		t.ExpectGood("login")
		t.SignIn(s.owner)
		Eventually(t.State).Should(Equal("idle"))
		t.ExpectGood("list")
		t.Click("#pair-open")
		t.ExpectGood("pairing")
		t.Click("#pair-cancel")
		t.Choose(robotID)
		t.ExpectLive()
		t.ExpectGood("live")
		t.Click("#statistics-toggle")
		t.ExpectGood("statistics")
		t.Choose("wimz_other")
		Eventually(t.Text("#status")).Should(ContainSubstring("offline"))
		Expect(t.Text("#statistics")()).NotTo(ContainSubstring("per second"), "those were the other robot's")
		t.ExpectGood("offline")
	}, SpecTimeout(specTime))
})

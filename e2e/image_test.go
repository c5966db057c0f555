package e2e

import (
	"context"
	"crypto/rand"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/simapp"
)

var _ = Describe("The relay's container image", func() {
	It("serves with no rights at all, and keeps accounts over a restart", func(ctx SpecContext) {
		if !harness.HasRelayImage(ctx) {
			Skip("NOT RUN: there is no Docker engine, or no image " + harness.RelayImage + ": make image")
		}
		relay, err := harness.StartRelayContainer(ctx, rand.Text()+rand.Text())
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(relay.Remove)
		do := func(command ...string) (int, string) {
			status, said, err := relay.Do(ctx, command...)
			Expect(err).NotTo(HaveOccurred())
			return status, said
		}

		Expect(relay.UIDs(ctx)).To(HaveEach("65532"), "who it runs as")
		status, said := do("/relay", "health")
		Expect(status).To(BeZero(), said)
		status, said = do("/relay", "config", "check")
		Expect(status).To(BeZero(), said)
		status, _ = do("/bin/sh", "-c", "true")
		Expect(status).NotTo(BeZero(), "there is a shell in it")
		status, said = do("/relay", "device", "list", "--database-url", "/elsewhere.db")
		Expect(status).NotTo(BeZero(), "it can write outside of /data: %s", said)

		account := harness.User{Email: "owner@example.com", Password: rand.Text()}
		Expect(relay.Register(ctx, account)).To(Succeed())
		login := func(ctx context.Context) error {
			_, err := simapp.Login(ctx, "ws://"+relay.Addr, account.Email, account.Password)
			return err
		}
		Expect(login(ctx)).To(Succeed())
		Expect(relay.Restart(ctx)).To(Succeed())
		Eventually(login).WithContext(ctx).Should(Succeed())
	}, SpecTimeout(specTime))
})

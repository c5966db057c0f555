package e2e

import (
	"errors"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

var _ = everywhere("A robot that shows a code", func(b harness.Backend) {
	It("and that nobody owns is watched by the one who types it, once", func(ctx SpecContext) {
		const found wire.DeviceID = "wimz_found"
		s := empty(ctx, b, harness.Options{})
		configFile, err := s.AddDevice(ctx, found, harness.User{})
		Expect(err).NotTo(HaveOccurred())
		Expect(s.StartRobot(ctx, found, configFile, harness.User{})).To(Succeed())
		finder, neighbour := s.user(ctx, "finder@example.com"), s.user(ctx, "neighbour@example.com")

		code, err := s.PairingCode(ctx, configFile)
		Expect(err).NotTo(HaveOccurred())
		Expect(simapp.PairDevice(ctx, s.RelayURL(), finder.Token, strings.ToLower(code))).To(Equal(found))
		Expect(s.AwaitOnline(ctx, found, finder)).To(Succeed(), "it was there all the time")
		viewing := s.watchAs(ctx, finder, simapp.Options{Device: found})

		for _, user := range []harness.User{neighbour, finder} {
			_, err = simapp.PairDevice(ctx, s.RelayURL(), user.Token, code)
			refused, _ := errors.AsType[*simapp.APIError](err)
			Expect(refused).To(HaveField("Status", 404), "the code is used up")
		}
		Expect(viewing.WaitFrames(ctx, 5)).To(Succeed())
	}, SpecTimeout(specTime))
})

var _ = everywhere("A robot with two secrets", func(b harness.Backend) {
	It("connects with either, and with the newer one after the older is dropped", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		connect := func(configFile string) error {
			robot, err := s.RawRobot(ctx, robotID, configFile)
			if err != nil {
				return err
			}
			return robot.Close()
		}
		older := s.configFile
		newer, err := s.AddSecret(ctx, robotID)
		Expect(err).NotTo(HaveOccurred())
		Expect(connect(older)).To(Succeed())
		Expect(connect(newer)).To(Succeed())
		Expect(connect(older)).To(Succeed())

		_, err = s.Operate(ctx, "device", "secret", "drop", string(robotID))
		Expect(err).NotTo(HaveOccurred())
		Expect(connect(older)).To(MatchError(client.ErrUnauthorized))
		Expect(connect(newer)).To(Succeed())
	}, SpecTimeout(specTime))
})

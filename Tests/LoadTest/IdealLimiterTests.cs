using HeartGrains.LoadTest.Limiters;
using HeartGrains.RateLimiting;

namespace HeartGrains.Tests.LoadTest;

public sealed class IdealLimiterTests
{
    [Fact]
    public void TryAdmit_Bucket_AdmitsItsLimitAndThenItsRate()
    {
        var ideal = Ideal(QuotaAlgorithm.TokenBucket, limit: 10, seconds: 1);

        Admitted(ideal, from: 0, requests: 25, apartMillis: 0).ShouldBe(10);
        Admitted(ideal, from: 100, requests: 10, apartMillis: 100).ShouldBe(10);
        Admitted(ideal, from: 1_050, requests: 10, apartMillis: 50).ShouldBe(5);
    }

    [Fact]
    public void TryAdmit_IdleBucket_SavesNoMoreThanItsLimit()
    {
        var ideal = Ideal(QuotaAlgorithm.LeakyBucket, limit: 1, seconds: 0.001);

        Admitted(ideal, from: 0, requests: 1_000, apartMillis: 1).ShouldBe(1_000);
        Admitted(ideal, from: 60_000, requests: 5, apartMillis: 0).ShouldBe(1);
    }

    [Fact]
    public void TryAdmit_Window_ForgetsEachAdmissionAWindowLater()
    {
        var ideal = Ideal(QuotaAlgorithm.SlidingWindow, limit: 4, seconds: 1);

        Admitted(ideal, from: 0, requests: 4, apartMillis: 100).ShouldBe(4);
        Admitted(ideal, from: 999, requests: 1, apartMillis: 0).ShouldBe(0);
        Admitted(ideal, from: 1_000, requests: 2, apartMillis: 0).ShouldBe(1);
        Admitted(ideal, from: 1_300, requests: 9, apartMillis: 0).ShouldBe(3);
    }

    private static IdealLimiter Ideal(QuotaAlgorithm algorithm, long limit, double seconds) => IdealLimiter.Of(new QuotaPolicy
    {
        Name = "user",
        Dimension = QuotaDimension.User,
        Algorithm = algorithm,
        Limit = limit,
        Window = TimeSpan.FromSeconds(seconds),
    });

    private static int Admitted(IdealLimiter ideal, int from, int requests, int apartMillis) =>
        Enumerable.Range(0, requests).Count(i => ideal.TryAdmit(TimeSpan.FromMilliseconds(from + (i * apartMillis))));
}

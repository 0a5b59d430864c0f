using System.Buffers.Binary;
using System.Net;
using HeartGrains.Gateway.RateLimiting;
using Microsoft.Extensions.Time.Testing;

namespace HeartGrains.Tests.RateLimiting;

public sealed class AddressLimitsTests
{
    private readonly FakeTimeProvider _clock = new();

    [Theory]
    [InlineData("203.0.113.7", "203.0.113.7", true)]
    [InlineData("203.0.113.7", "203.0.113.8", false)]
    [InlineData("203.0.113.7", "::ffff:203.0.113.7", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("0.0.0.0", "::", false)]
    public void TryAcquire_TwoAddresses_ShareABucketOnlyAsOneClient(string first, string second, bool isShared)
    {
        var limits = Limits(tokenLimit: 3);
        for (var call = 0; call < 3; call++) limits.TryAcquire(IPAddress.Parse(first), out _).ShouldBeTrue();
        limits.TryAcquire(IPAddress.Parse(first), out var wait).ShouldBeFalse();
        wait.ShouldBe(TimeSpan.TicksPerSecond);

        limits.TryAcquire(IPAddress.Parse(second), out _).ShouldBe(!isShared);
    }

    [Fact]
    public void TryAcquire_NoAddress_IsOneClient()
    {
        var limits = Limits(tokenLimit: 1);
        limits.TryAcquire(null, out _).ShouldBeTrue();
        limits.TryAcquire(null, out _).ShouldBeFalse();
    }

    [Fact]
    public void TryAcquire_OneCellForAll_NeverAdmitsMoreThanTheLimitToAnyone()
    {
        var limits = new AddressLimits(new BucketTerms(5, 1, TimeSpan.FromSeconds(1), _clock), cells: 1, _clock);
        Enumerable.Range(0, 100).Count(i => limits.TryAcquire(new IPAddress(i), out _)).ShouldBe(5);
    }

    [Fact]
    public void TryAcquire_TenMillionInventedAddresses_AllocateNothing()
    {
        var limits = new AddressLimits(new BucketTerms(10, 1, TimeSpan.FromSeconds(1), TimeProvider.System), 1 << 20, TimeProvider.System);
        var bytes = new byte[16];
        limits.TryAcquire(new IPAddress(bytes), out _);

        // The address itself is made by the server; its cost is known from one, and taken off.
        var perAddress = Allocated(() => _ = new IPAddress(bytes));
        var whole = Allocated(() =>
        {
            for (var i = 0; i < 10_000_000; i++)
            {
                BinaryPrimitives.WriteInt64BigEndian(bytes, i * 0x9E37_79B9_7F4A_7C1L);
                limits.TryAcquire(new IPAddress(bytes), out _);
            }
        });

        (whole - 10_000_000 * perAddress).ShouldBeLessThan(1_000_000);
    }

    private AddressLimits Limits(int tokenLimit) => new(new BucketTerms(tokenLimit, 1, TimeSpan.FromSeconds(1), _clock), 1 << 20, _clock);

    private static long Allocated(Action action)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        action();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}

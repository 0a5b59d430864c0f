using HeartGrains.Gateway.RateLimiting;
using Microsoft.Extensions.Time.Testing;

namespace HeartGrains.Tests.RateLimiting;

/// <summary>Ten million invented keys through one table: it stays as large as it is, and what it knows stays right.</summary>
public sealed class QuotaFloodTests
{
    private const int InventedKeys = 10_000_000;
    private const int TableKeys = 1_000_000;

    // Of 16 ways, twice the keys, rounded up to a power of two sets.
    private const int TableEntries = 1 << 21;

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void TryTake_TenMillionInventedKeys_AllocateNothingAndNobodyGetsMoreThanHisSlice()
    {
        var policy = Policies.Prepared(_time, 0, Policies.User).Policies[0];
        var slices = new QuotaSlices(TableKeys, _time);
        slices.Extend(policy.Term, long.MaxValue);
        slices.TryTake(policy, "known", 1, out _).ShouldBeTrue();

        var before = GC.GetAllocatedBytesForCurrentThread();
        var admitted = Flood(slices, policy);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(10_000);

        // Each entry is of one key at most, until its slice is full again; the others are asked of their grains.
        admitted.ShouldBeGreaterThan(TableEntries - 2_000);
        admitted.ShouldBeLessThan(TableEntries);
        Flood(slices, policy, fromNumber: InventedKeys, keys: 100_000).ShouldBeLessThan(2_000);

        slices.TryTake(policy, "known", 1, out _).ShouldBeTrue();
        slices.TryTake(policy, "known", 1, out _).ShouldBeFalse();

        _time.Advance(TimeSpan.FromSeconds(60));
        slices.TryTake(policy, "late", 2, out _).ShouldBeTrue();
    }

    /// <summary>One token for each key. Returns how many were given.</summary>
    private static int Flood(QuotaSlices slices, SlicedPolicy policy, int fromNumber = 0, int keys = InventedKeys)
    {
        Span<char> key = stackalloc char[9];
        var admitted = 0;
        for (var number = fromNumber; number < fromNumber + keys; number++)
        {
            number.TryFormat(key, out _, "D9");
            if (slices.TryTake(policy, key, 1, out _)) admitted++;
        }

        return admitted;
    }
}

using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.RateLimiting;
using Microsoft.Extensions.Options;

namespace HeartGrains.Gateway.Users;

/// <summary>
/// How often an address may have whole users merged, erased or told at this gateway: as often as it may become new readers. None of these costs a user's quota, and each is far more work than a heart. Servers are not held back.
/// </summary>
internal sealed class UserLimits(IOptions<ReaderOptions> options, TimeProvider time)
{
    private const int TableCells = 1 << 16;

    private readonly AddressLimits _limits = new(new BucketTerms(options.Value.IssueLimit, options.Value.IssuesPerHour, TimeSpan.FromHours(1), time), TableCells, time);

    /// <summary>Whether the call may go on; when not, the refusal is written.</summary>
    public async ValueTask<bool> AdmitAsync(HttpContext context, Caller caller)
    {
        if (caller.IsServer || _limits.TryAcquire(context.Connection.RemoteIpAddress, out var waitTicks)) return true;
        await context.WriteProblemAsync(
            Problem.QuotaExceeded, "Nothing was done: this address has had as many users merged, erased or told as it may. Call again after Retry-After.",
            (int)Math.Clamp(Math.Ceiling((double)waitTicks / time.TimestampFrequency), 1, int.MaxValue));
        return false;
    }
}

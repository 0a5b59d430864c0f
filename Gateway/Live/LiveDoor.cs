using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.RateLimiting;
using HeartGrains.Gateway.Sites;
using Microsoft.Extensions.Options;

namespace HeartGrains.Gateway.Live;

/// <summary>Lets in those who want to watch, within the limits of connections, and tells the others why not.</summary>
internal sealed class LiveDoor(LiveConnections connections, SiteList sites, IOptions<LiveOptions> options)
{
    private const int RetryAfterSeconds = 10;

    /// <summary>Takes a seat for a caller, to be given back with <see cref="Leave"/>; null when the caller has been told why there is none.</summary>
    public async ValueTask<LiveAddress?> EnterAsync(HttpContext context)
    {
        if (!sites.Allows(context))
        {
            await context.WriteProblemAsync(Problem.OriginNotAllowed, "Pages of this origin may not connect.");
            return null;
        }

        if (connections.IsStopping)
        {
            await context.WriteProblemAsync(Problem.Unavailable, "This gateway is stopping. Connect again: another takes you.", 1);
            return null;
        }

        switch (connections.Seats.Enter(ClientAddress.Of(context), context.Connection.RemoteIpAddress, out var address))
        {
            case SeatRefusal.Rate:
                await context.WriteProblemAsync(Problem.TooManyConnections, "This address connects too often. Connect again after Retry-After.", RetryAfterSeconds);
                return null;
            case SeatRefusal.Address:
                await context.WriteProblemAsync(Problem.TooManyConnections, $"An address has at most {options.Value.MaxConnectionsPerAddress} connections here.", RetryAfterSeconds);
                return null;
            case SeatRefusal.Gateway:
                await context.WriteProblemAsync(Problem.TemporaryReducedCapacity, "This gateway has as many connections as it takes. Connect again after Retry-After.", RetryAfterSeconds);
                return null;
            default:
                return address;
        }
    }

    /// <summary>Gives a seat back.</summary>
    public void Leave(LiveAddress address) => connections.Seats.Leave(address);
}

using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;
using HeartGrains.Users;

namespace HeartGrains.Gateway.Users;

/// <summary>Reads a page of what is held about a user.</summary>
internal sealed class UserExportRead(string userId, string? after) : GrainCall<UserPage>
{
    private IUserGrain _grain = null!;

    public override void Address(GrainAddresses addresses) => _grain = addresses.Users();

    protected override ValueTask<UserPage> SendAsync(CancellationToken cancellationToken) => _grain.ExportAsync(userId, after, cancellationToken);

    protected override HeartOutcome OutcomeOf(in UserPage value) => value.Outcome;
}

using System.Text.Json;
using HeartGrains.Hosting;
using HeartGrains.RateLimiting;
using Orleans.Runtime;

namespace HeartGrains.Users;

/// <summary>A user's quotas: the grain's memory, and a stored row that knows the user by a keyed hash.</summary>
internal sealed class QuotaUserData(IGrainFactory grains, LiveSettings<QuotaSettings> settings) : IUserData
{
    /// <summary>Looks at them: the row of quotas that are whole goes with it. What is spent stays spent until then, or who is forgotten could spend it again at once.</summary>
    public async ValueTask EraseAsync(string userId, string tombstone, CancellationToken cancellationToken) =>
        await GrainOf(userId).ReadAsync(Array.ConvertAll(UserPolicies(), static policy => policy.Name), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask ExportAsync(string userId, Action<Action<Utf8JsonWriter>> line, CancellationToken cancellationToken)
    {
        var policies = UserPolicies();
        if (policies.Length == 0) return;
        var verdicts = await GrainOf(userId).ReadAsync(Array.ConvertAll(policies, static policy => policy.Name), cancellationToken);
        foreach (var (index, policy) in policies.Index())
        {
            if (verdicts[index] == QuotaVerdict.Unknown) continue;
            line(json =>
            {
                json.WriteString("type"u8, "quota"u8);
                json.WriteString("policy"u8, policy.Name);
                json.WriteNumber("limit"u8, policy.Limit);
                json.WriteNumber("remaining_at_grain"u8, verdicts[index].Remaining);
                json.WriteNumber("reset_seconds"u8, (verdicts[index].ResetMillis + 999) / 1000);
            });
        }
    }

    private QuotaPolicy[] UserPolicies() => Array.FindAll(settings.Current.Policies, static policy => policy.Dimension == QuotaDimension.User);

    private IRateLimitGrain GrainOf(string userId) => (IRateLimitGrain)grains.GetGrain(typeof(IRateLimitGrain), IdSpan.Create(QuotaKey.Of(QuotaDimension.User, userId)));
}

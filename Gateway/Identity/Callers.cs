using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.Sites;
using HeartGrains.Hearts;
using HeartGrains.Hosting;

namespace HeartGrains.Gateway.Identity;

/// <summary>
/// Who calls, and for whom they may speak; <c>docs/identity.md</c> has the table. Credentials win over a reader's cookie: no browser adds them by itself, so a call that bears them was meant by the page that made it.
/// </summary>
internal sealed class Callers(LiveSettings<AuthPolicy> policy, Credentials credentials, Readers readers, SiteList sites, CallerNetworks networks)
{
    /// <summary>Who wants to change something: the user named, if that is proved or need not be, or the reader who calls, who may be made one by it.</summary>
    /// <param name="context">The call.</param>
    /// <param name="userId">The user that the call names, if any.</param>
    /// <param name="invalid">Tells of a name that cannot be taken.</param>
    public Caller Identify(HttpContext context, string? userId, Problem invalid)
    {
        var caller = credentials.Judge(context) is { } proof ? Speaker(proof, userId, AuthScope.HeartsWrite, invalid) : Unproven(context, userId, invalid);
        return caller.Origin is null ? caller : caller with { Origin = networks.Fill(context, caller.Origin) };
    }

    /// <summary>Who pays, by name or by a token: as <see cref="Identify"/>, but who brings neither is not made a reader.</summary>
    public Caller IdentifyNamed(HttpContext context, string? userId, Problem invalid) =>
        userId is null && credentials.Judge(context) is null ? Caller.Nobody(invalid) : Identify(context, userId, invalid);

    /// <summary>The account that a reader wants to be: as <see cref="Identify"/>, but never a reader.</summary>
    public Caller IdentifyAccount(HttpContext context, string? userId, Problem invalid)
    {
        if (credentials.Judge(context) is null && (userId is null || !AllowsClaims(context))) return Caller.Unproven;
        return userId is not null && Readers.IsReserved(userId) ? Caller.Pretender(invalid) : Identify(context, userId, invalid);
    }

    /// <summary>Of whom something is read: as <see cref="Identify"/>, but nobody is made a reader. Without a user and without a refusal when the call names none and brings no proof of one.</summary>
    public Caller IdentifyForRead(HttpContext context, string? userId, Problem invalid)
    {
        if (credentials.Judge(context) is { } proof)
            return userId is null && proof.Key is not null ? default : Speaker(proof, userId, AuthScope.HeartsRead, invalid);
        if (userId is null) return readers.Find(context) is { } reader ? new Caller(reader, HeartOrigin.Reader) : default;
        if (Believes(context)) return new Caller(userId, HeartOrigin.Claimed);
        return Readers.IsReader(userId) && readers.Find(context) == userId ? new Caller(userId, HeartOrigin.Reader) : Caller.Unproven;
    }

    /// <summary>Whether the call bears a server key with this scope; if not, <paramref name="caller"/> holds the refusal.</summary>
    public bool TryAuthorize(HttpContext context, AuthScope scope, out Caller caller)
    {
        var proof = credentials.Judge(context);
        caller = proof switch
        {
            null => Caller.Unproven,
            { Fault: { } fault } => Caller.Disbelieved(fault),
            { Origin: null } => Caller.Undecided,
            { Key: { } key } when key.Has(scope) => new Caller(null, networks.Fill(context, key.Origin)),
            _ => Caller.Without(scope),
        };
        return caller.Refusal is null;
    }

    /// <summary>Whether the call may read what concerns many users at once: everybody where claims are believed, else only servers with <c>hearts:read</c>.</summary>
    public bool TryAuthorizeList(HttpContext context, out Caller caller)
    {
        caller = default;
        return Believes(context) || TryAuthorize(context, AuthScope.HeartsRead, out caller);
    }

    private static Caller Speaker(Proof proof, string? userId, AuthScope scope, Problem invalid)
    {
        if (proof.Fault is { } fault) return Caller.Disbelieved(fault);
        if (proof.Origin is null) return Caller.Undecided;
        if (proof.Key is not { } key) return userId is null || userId == proof.UserId ? new Caller(proof.UserId, proof.Origin) : Caller.OfAnother;
        if (!key.Has(scope)) return Caller.Without(scope);
        if (userId is null) return Caller.Nobody(invalid);
        return scope == AuthScope.HeartsWrite && Readers.IsReserved(userId) ? Caller.Pretender(invalid) : new Caller(userId, proof.Origin);
    }

    private Caller Unproven(HttpContext context, string? userId, Problem invalid)
    {
        if (userId is null) return readers.AreEnabled ? readers.FindOrIssue(context) : AllowsClaims(context) ? Caller.Nobody(invalid) : Caller.Unproven;
        if (Readers.IsReserved(userId)) return Caller.Pretender(invalid);
        if (!AllowsClaims(context)) return Caller.Unproven;
        return readers.IsForeign(context) ? Caller.OfForeignPage : new Caller(userId, HeartOrigin.Claimed);
    }

    private bool AllowsClaims(HttpContext context) => policy.Current.AllowsClaims(context, sites);

    /// <summary>Whether a name is believed of who reads: never of a page that may not call here, whatever is configured.</summary>
    private bool Believes(HttpContext context) => AllowsClaims(context) && sites.Allows(context);
}

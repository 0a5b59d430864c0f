using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Problems;
using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Users;

/// <summary>
/// Who may have a whole user erased or told: operators, for any user, and the user who proves to be it: by a signed token, or as the anonymous reader by theirs. A name alone is no proof, not even where claims are believed.
/// </summary>
internal sealed class UserAuthority(Callers callers, Readers readers)
{
    /// <summary>Whom the call may speak of.</summary>
    /// <param name="context">The call.</param>
    /// <param name="userId">The user it names, if any.</param>
    /// <param name="isChange">Whether it changes something: a reader's cookie counts only with the <c>Origin</c> of a page that may send it.</param>
    public Caller Judge(HttpContext context, string? userId, bool isChange)
    {
        if (callers.TryAuthorize(context, AuthScope.HeartsAdmin, out var server))
            return userId is null ? Caller.Nobody(Problem.InvalidQuery) : server with { UserId = userId };
        var self = callers.IdentifyForRead(context, userId, Problem.InvalidQuery);

        // A key of another scope is told which one it lacks for this.
        if (self.Refusal is { } refusal) return refusal.Problem == Problem.ScopeMissing ? server : self;
        return self.Origin?.Actor switch
        {
            var actor when actor == HeartOrigin.Jwt.Actor => self,
            var actor when actor == HeartOrigin.Reader.Actor => isChange && readers.IsForeign(context) ? Caller.OfForeignPage : self,
            _ => server,
        };
    }
}

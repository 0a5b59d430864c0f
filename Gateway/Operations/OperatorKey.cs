using System.Security.Cryptography;
using System.Text;
using HeartGrains.Gateway.Problems;
using HeartGrains.Hosting;

namespace HeartGrains.Gateway.Operations;

/// <summary>Lets only those through who send the configured operator key; nobody when none is configured.</summary>
internal sealed class OperatorKey(HostSettings settings)
{
    private const string Scheme = "Bearer ";

    private readonly byte[]? _hash = settings.OperatorKey is { } key ? Hash(key) : null;

    /// <summary>The caller is an operator.</summary>
    public bool IsSentBy(HttpContext context)
    {
        var given = context.Request.Headers.Authorization.ToString();
        return _hash is not null
            && given.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && CryptographicOperations.FixedTimeEquals(Hash(given[Scheme.Length..].Trim()), _hash);
    }

    /// <summary>The answer to somebody who is not.</summary>
    public Task RefuseAsync(HttpContext context)
    {
        if (_hash is null)
            return context.WriteProblemAsync(Problem.OperatorKeyNotConfigured, "Configure HeartGrains:OperatorKey to switch operators' calls on.");

        context.Response.Headers.WWWAuthenticate = "Bearer";
        return context.WriteProblemAsync(Problem.OperatorKeyRequired, "Send the operator key as Authorization: Bearer …");
    }

    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}

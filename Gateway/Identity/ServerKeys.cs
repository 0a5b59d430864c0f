using System.Security.Cryptography;
using HeartGrains.Hearts;
using HeartGrains.Hosting;

namespace HeartGrains.Gateway.Identity;

/// <summary>A key that is known, by its hash.</summary>
/// <param name="Origin">What the log calls its bearer: <c>key:</c> and the key's name.</param>
/// <param name="Scopes">What it may do.</param>
/// <param name="Hash">SHA-256 of the key.</param>
internal sealed record ServerKey(HeartOrigin Origin, AuthScope[] Scopes, byte[] Hash)
{
    /// <summary>What it proves.</summary>
    public Proof Proof => field ??= Proof.OfServer(this);

    /// <summary>Whether the key lets its bearer do this.</summary>
    public bool Has(AuthScope scope) => Array.IndexOf(Scopes, scope) >= 0 || Array.IndexOf(Scopes, AuthScope.HeartsAdmin) >= 0;
}

/// <summary>
/// The keys of back ends and operators. Configured are only their hashes: a plain SHA-256 is enough of a key that a machine has drawn, which nobody can guess, and costs a call next to nothing.
/// </summary>
internal sealed class ServerKeys
{
    /// <summary>Before the hash of a key.</summary>
    public const string HashPrefix = "sha256:";

    /// <summary>In front of what the log calls a key's bearer.</summary>
    public const string ActorPrefix = "key:";

    private const string Setting = AuthOptions.Section + ":" + nameof(AuthOptions.Keys);
    private readonly ServerKey[] _keys;

    private ServerKeys(ServerKey[] keys) => _keys = keys;

    /// <summary>Reads the keys.</summary>
    /// <exception cref="StartException">One of them cannot be used.</exception>
    public static ServerKeys Of(List<ServerKeyOptions> options)
    {
        var keys = new ServerKey[options.Count];
        for (var index = 0; index < keys.Length; index++)
        {
            keys[index] = Read(options[index], $"{Setting}:{index}");
            for (var earlier = 0; earlier < index; earlier++)
            {
                if (keys[earlier].Origin == keys[index].Origin) throw StartException.Setting($"{Setting}:{index}:Name", $"Two keys are named '{options[index].Name}', and the log could not tell them apart");
                if (keys[earlier].Hash.AsSpan().SequenceEqual(keys[index].Hash)) throw StartException.Setting($"{Setting}:{index}:Hash", $"The keys '{options[earlier].Name}' and '{options[index].Name}' are the same key");
            }
        }

        return new ServerKeys(keys);
    }

    /// <summary>The key of this hash, or null. Every key is compared, each in constant time, so that the time tells nothing of them.</summary>
    public ServerKey? Find(ReadOnlySpan<byte> hash)
    {
        ServerKey? found = null;
        foreach (var key in _keys)
            if (CryptographicOperations.FixedTimeEquals(hash, key.Hash)) found = key;
        return found;
    }

    private static ServerKey Read(ServerKeyOptions options, string setting)
    {
        if (string.IsNullOrEmpty(options.Name)) throw StartException.Setting($"{setting}:Name", "A server key needs a name, which the log calls it by");
        var hash = new byte[SHA256.HashSizeInBytes];
        if (options.Hash?.StartsWith(HashPrefix, StringComparison.OrdinalIgnoreCase) is not true
            || options.Hash.Length != HashPrefix.Length + (2 * hash.Length)
            || Convert.FromHexString(options.Hash.AsSpan(HashPrefix.Length), hash, out _, out _) != System.Buffers.OperationStatus.Done)
        {
            // Not repeated: it may be the key itself.
            throw StartException.Setting($"{setting}:Hash", $"The hash of the key '{options.Name}' must be sha256: and 64 hexadecimal digits, as printf %s \"$key\" | sha256sum prints them");
        }

        var scopes = new List<AuthScope>();
        foreach (var name in (options.Scopes ?? "").Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (!AuthScopes.TryParse(name, out var scope)) throw StartException.Setting($"{setting}:Scopes", $"'{name}' is no scope; there are {string.Join(", ", AuthScopes.Names)}");
            scopes.Add(scope.Value);
        }

        return scopes.Count == 0
            ? throw StartException.Setting($"{setting}:Scopes", $"The key '{options.Name}' may do nothing; there are the scopes {string.Join(", ", AuthScopes.Names)}")
            : new ServerKey(new HeartOrigin(ActorPrefix + options.Name), [.. scopes], hash);
    }
}

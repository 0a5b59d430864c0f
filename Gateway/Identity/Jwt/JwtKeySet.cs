using Microsoft.IdentityModel.Tokens;

namespace HeartGrains.Gateway.Identity.Jwt;

/// <summary>The keys that are believed now, and the tokens that they have verified: with the keys those go too.</summary>
internal sealed class JwtKeySet
{
    private readonly JwtKey[] _keys;

    private JwtKeySet(string text, string issuer, JwtKey[] keys, int rememberedTokens)
    {
        (Text, Issuer, _keys) = (text, issuer, keys);
        Remembered = new RememberedTokens(rememberedTokens);
    }

    /// <summary>What it was read from, to see a change.</summary>
    public string Text { get; }

    /// <summary>Who signs with them.</summary>
    public string Issuer { get; }

    /// <summary>The tokens that were verified.</summary>
    public RememberedTokens Remembered { get; }

    public int Count => _keys.Length;

    /// <summary>The keys of a set that is configured: each must be one that can be used.</summary>
    /// <exception cref="FormatException">One is not.</exception>
    public static JwtKeySet OfConfigured(string text, JwtTerms terms) => new(text, terms.Options.Issuer!, Read(text, terms, static (_, reason) => throw new FormatException(reason)), terms.Options.RememberedTokens);

    /// <summary>The keys of an authority, which may have others for other purposes: those are passed over. Secrets among them are none, since they are public.</summary>
    /// <exception cref="FormatException">There is none that can be used.</exception>
    public static JwtKeySet OfAuthority(string text, string issuer, JwtTerms terms, Action<string> skipped)
    {
        var keys = Read(text, terms, (_, reason) => skipped(reason));
        return new JwtKeySet(text, issuer, Array.FindAll(keys, static key => key.Algorithm != JwtKey.Hmac), terms.Options.RememberedTokens);
    }

    /// <summary>The key that a token names; without a name the only one of its algorithm. Null when there is none.</summary>
    public JwtKey? Find(string? kid, string algorithm)
    {
        if (kid is not null) return Array.Find(_keys, key => key.Kid == kid);
        JwtKey[] fitting = Array.FindAll(_keys, key => key.Algorithm == algorithm);
        return fitting is [var only] ? only : null;
    }

    private static JwtKey[] Read(string text, JwtTerms terms, Action<string?, string> refused)
    {
        IList<JsonWebKey> all;
        try
        {
            all = JsonWebKeySet.Create(text).Keys;
        }
        catch (ArgumentException exception)
        {
            throw new FormatException("It is no JSON Web Key Set: {\"keys\":[…]}", exception);
        }

        var keys = new List<JwtKey>();
        foreach (var (index, web) in all.Index())
        {
            var name = web.Kid is null ? $"Key {index}" : $"The key '{web.Kid}'";
            try
            {
                var key = JwtKey.Of(web);
                if (!terms.Algorithms.Contains(key.Algorithm, StringComparer.Ordinal)) refused(web.Kid, $"{name} is for {key.Algorithm}, which is not among the algorithms that are taken");
                else if (keys.Exists(other => other.Kid == key.Kid && (key.Kid is not null || other.Algorithm == key.Algorithm))) refused(web.Kid, $"{name} is there twice");
                else keys.Add(key);
            }
            catch (FormatException exception)
            {
                refused(web.Kid, $"{name} {exception.Message}");
            }
        }

        return keys.Count > 0 ? [.. keys] : throw new FormatException("It holds no key that can be used");
    }
}

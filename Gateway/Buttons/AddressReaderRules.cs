using System.Collections.Frozen;
using HeartGrains.Gateway.Identity;
using HeartGrains.Hosting;

namespace HeartGrains.Gateway.Buttons;

/// <summary>
/// How readers who can carry no token are told apart, by site: <c>soft</c>, or <c>off, blog.example.com=soft, wiki.example.com=strict</c>: one mode for all sites but those named.
/// </summary>
internal sealed class AddressReaderRules
{
    private readonly AddressReaders _other;
    private readonly FrozenDictionary<string, AddressReaders> _sites;

    private AddressReaderRules(AddressReaders other, Dictionary<string, AddressReaders> sites) =>
        (_other, _sites) = (other, sites.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase));

    /// <summary>The mode of a site.</summary>
    public AddressReaders Of(string site) => _sites.GetValueOrDefault(site, _other);

    /// <summary>Reads the setting.</summary>
    /// <exception cref="StartException">It is not such a list.</exception>
    public static AddressReaderRules Parse(string setting, string text)
    {
        AddressReaders? other = null;
        var sites = new Dictionary<string, AddressReaders>(StringComparer.OrdinalIgnoreCase);
        foreach (var rule in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var equals = rule.IndexOf('=', StringComparison.Ordinal);
            AddressReaders? mode = rule[(equals + 1)..].Trim().ToLowerInvariant() switch
            {
                "off" => AddressReaders.Off,
                "soft" => AddressReaders.Soft,
                "strict" => AddressReaders.Strict,
                _ => null,
            };
            if (mode is null) throw Refused(rule);
            if (equals >= 0)
            {
                if (equals == 0 || !sites.TryAdd(rule[..equals].Trim(), mode.Value)) throw Refused(rule);
            }
            else
            {
                if (other is not null) throw Refused(rule);
                other = mode;
            }
        }

        return new AddressReaderRules(other ?? throw Refused(text), sites);

        StartException Refused(string rule) => StartException.Setting(
            setting, $"'{rule}' is refused: write off, soft or strict for all sites, and after it, if you like, sites of another mode: off, blog.example.com=soft");
    }
}

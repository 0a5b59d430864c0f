namespace HeartGrains.Gateway.Live;

/// <summary>One client that watches, however it is connected.</summary>
internal interface ILiveClient
{
    /// <summary>After so long without a word it is told that somebody is there: twice within the minute after which a client takes us for gone.</summary>
    static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(25);

    /// <summary>Serves it until it or we close; returns why.</summary>
    Task<LiveClose> RunAsync();

    /// <summary>Closes for a reason; the first counts.</summary>
    void Close(LiveClose close);

    /// <summary>Looks whether it has waited too long for its client: once a second or so.</summary>
    void Check(long now);
}

namespace HeartGrains.Gateway.Problems;

/// <summary>
/// One kind of problem the API reports. The code is stable: clients may branch on it. <c>docs/http-api.md</c> says for each what
/// the client and the operator do.
/// </summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Code">A kebab-case name, unique among problems.</param>
/// <param name="Title">What it means, the same for every occurrence.</param>
public sealed record Problem(int Status, string Code, string Title)
{
    /// <summary>Before every code in a problem's <c>type</c>.</summary>
    public const string TypePrefix = "https://heartgrains.dev/problems#";

    /// <summary>The request itself is broken at the level of HTTP.</summary>
    public static readonly Problem BadRequest = new(400, "bad-request", "The request is malformed.");

    /// <summary>The body is not one JSON object.</summary>
    public static readonly Problem InvalidJson = new(400, "invalid-json", "The body is not valid JSON.");

    /// <summary>Fields of the body are missing, unknown, repeated or out of bounds.</summary>
    public static readonly Problem InvalidFields = new(400, "invalid-fields", "Fields of the body are invalid.");

    /// <summary>Parameters of the query string are missing, unknown, repeated or out of bounds.</summary>
    public static readonly Problem InvalidQuery = new(400, "invalid-query", "Parameters of the query string are invalid.");

    /// <summary>The cursor was not made by this API for this target.</summary>
    public static readonly Problem InvalidCursor = new(400, "invalid-cursor", "The cursor is invalid.");

    /// <summary>The caller has to prove who they are, and brought nothing that could.</summary>
    public static readonly Problem CredentialsRequired = new(401, "credentials-required", "Credentials are required.");

    /// <summary>A token or key came along that is not believed.</summary>
    public static readonly Problem InvalidToken = new(401, "invalid-token", "The token is not believed.");

    /// <summary>The credentials are good, and not for this.</summary>
    public static readonly Problem ScopeMissing = new(403, "scope-missing", "The credentials do not reach so far.");

    /// <summary>The token is of another user than the one named.</summary>
    public static readonly Problem UserMismatch = new(403, "user-mismatch", "The token is another user's.");

    /// <summary>A reader's call that changes something did not come from a page that may make it.</summary>
    public static readonly Problem OriginNotAllowed = new(403, "origin-not-allowed", "Pages of this origin may not do this.");

    /// <summary>The user may not give hearts until the time in the problem's <c>until</c>.</summary>
    public static readonly Problem UserBlocked = new(403, "user-blocked", "The user is blocked.");

    /// <summary>No such route.</summary>
    public static readonly Problem NotFound = new(404, "not-found", "There is nothing here.");

    /// <summary>The route exists, but not for this method.</summary>
    public static readonly Problem MethodNotAllowed = new(405, "method-not-allowed", "The method is not allowed here.");

    /// <summary>The body did not arrive in time.</summary>
    public static readonly Problem RequestTimeout = new(408, "request-timeout", "The request did not arrive in time.");

    /// <summary>Operators froze the target.</summary>
    public static readonly Problem TargetFrozen = new(409, "target-frozen", "The target is frozen.");

    /// <summary>The target is another's old name already.</summary>
    public static readonly Problem TargetMoved = new(409, "target-moved", "The target was moved elsewhere.");

    /// <summary>The move would end where it begins.</summary>
    public static readonly Problem MoveCycle = new(409, "move-cycle", "The move would go round in a circle.");

    /// <summary>Old names lead to old names too often.</summary>
    public static readonly Problem MoveChainTooLong = new(409, "move-chain-too-long", "Too many moves follow one another.");

    /// <summary>The list of blocked users is full.</summary>
    public static readonly Problem TooManyBlocks = new(409, "too-many-blocks", "Too many users are blocked.");

    /// <summary>The quarantine is at something else, or over.</summary>
    public static readonly Problem QuarantineState = new(409, "quarantine-state", "The quarantine is not in the state for this.");

    /// <summary>The body is over its bound.</summary>
    public static readonly Problem BodyTooLarge = new(413, "body-too-large", "The body is too large.");

    /// <summary>The body is not declared as JSON in UTF-8.</summary>
    public static readonly Problem UnsupportedMediaType = new(415, "unsupported-media-type", "The body must be JSON.");

    /// <summary>The route is for WebSockets, and this is none.</summary>
    public static readonly Problem UpgradeRequired = new(426, "upgrade-required", "The route is for WebSockets.");

    /// <summary>The client's address has as many connections as it may have.</summary>
    public static readonly Problem TooManyConnections = new(429, "too-many-connections", "Too many connections.");

    /// <summary>A quota is spent: the user's, or another that applies.</summary>
    public static readonly Problem QuotaExceeded = new(429, "quota-exceeded", "A quota is spent.");

    /// <summary>A defect of the service.</summary>
    public static readonly Problem InternalError = new(500, "internal-error", "The service failed.");

    /// <summary>Not sent: no silo can be reached, or calls are paused after failures.</summary>
    public static readonly Problem Unavailable = new(503, "unavailable", "The service is unavailable.");

    /// <summary>Not looked at: more calls arrive than can be answered in time.</summary>
    public static readonly Problem TemporaryReducedCapacity = new(503, "temporary-reduced-capacity", "The service takes fewer calls for a moment.");

    /// <summary>Not committed: too many hearts wait for the ledger.</summary>
    public static readonly Problem QueueFull = new(503, "queue-full", "Too many hearts are waiting.");

    /// <summary>Not committed: the ledger cannot be reached or refuses.</summary>
    public static readonly Problem LedgerUnavailable = new(503, "ledger-unavailable", "The ledger is unavailable.");

    /// <summary>Not committed: another activation of the target kept writing first.</summary>
    public static readonly Problem ConflictRetry = new(503, "conflict-retry", "The target is moving between silos.");

    /// <summary>The quota could not be asked: our fault, never a 429.</summary>
    public static readonly Problem QuotaUnavailable = new(503, "quota-unavailable", "The quota cannot be checked.");

    /// <summary>The write may have been committed; the same call again is safe.</summary>
    public static readonly Problem OutcomeUnknown = new(504, "outcome-unknown", "The outcome is unknown.");

    /// <summary>The stable identifier of this kind of problem.</summary>
    public string Type { get; } = TypePrefix + Code;

    /// <summary>The problem that stands for a status set without a body.</summary>
    public static Problem ForStatus(int status) => status switch
    {
        404 => NotFound,
        405 => MethodNotAllowed,
        408 => RequestTimeout,
        413 => BodyTooLarge,
        415 => UnsupportedMediaType,
        429 => QuotaExceeded,
        503 => Unavailable,
        504 => OutcomeUnknown,
        >= 400 and < 500 => BadRequest with { Status = status },
        _ => InternalError with { Status = status },
    };
}

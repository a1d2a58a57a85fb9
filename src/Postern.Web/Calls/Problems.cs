using System.Collections.Immutable;

namespace Postern.Web.Calls;

/// <summary>Every kind of problem that a call can end with.</summary>
internal static class Problems
{
    public static readonly ProblemType Invalid = new(
        "invalid", 400, "The question does not make sense",
        "A parameter or a member of the body is unknown, missing or wrong; errors says which.");

    public static readonly ProblemType CursorExpired = new(
        "cursor-expired", 400, "The place to go on from is not known any more",
        "Cursors are good for a day and for the list that gave them. Ask for the first page again.");

    public static readonly ProblemType Unauthenticated = new(
        "unauthenticated", 401, "Nobody has said who calls",
        "Send Authorization: Bearer with a key, or sign in. Keys that are over, and keys from other networks, are as good as none.");

    public static readonly ProblemType ScopeMissing = new(
        "scope-missing", 403, "The caller may not do this", "The key or the role lacks the scope that is named.");

    public static readonly ProblemType ProveAgain = new(
        "prove-again", 403, "This asks for the password again",
        "Operators, keys, webhooks and content ask again when the last proof is ten minutes old.");

    public static readonly ProblemType ForeignOrigin = new(
        "foreign-origin", 403, "The call comes from another site", "A browser sent it on behalf of a page that is not this server's.");

    public static readonly ProblemType NotFound = new(
        "not-found", 404, "There is nothing of that name", "What is outside of the caller's tenant is not there either.");

    public static readonly ProblemType NoRoute = new(
        "no-such-address", 404, "There is nothing at this address", "The API is described at /api/v1/openapi.json.");

    public static readonly ProblemType WrongMethod = new(
        "wrong-method", 405, "The address does not take this method", "Allow says which it takes.");

    public static readonly ProblemType CountChanged = new(
        "count-changed", 409, "Other messages are meant by now",
        "A change of many messages is confirmed with the number that was shown. matched and token are those of now.");

    public static readonly ProblemType TooLarge = new(
        "too-large", 413, "The body is too large", "Bodies have at most 256 KiB, sends as much as a message may have.");

    public static readonly ProblemType NotJson = new(
        "not-json", 415, "The body is not JSON", "Send Content-Type: application/json.");

    public static readonly ProblemType WrongHost = new(
        "wrong-host", 421, "This server does not go by that name", "web.hosts names what browsers may call it.");

    public static readonly ProblemType NotDone = new(
        "not-done", 422, "It cannot be done as it was asked", "Everything was understood, and nothing was changed; detail says why.");

    public static readonly ProblemType ConfirmFirst = new(
        "confirm-first", 428, "A change of many messages is confirmed first",
        "Ask with dryRun for the number and a token, then apply with the token.");

    public static readonly ProblemType TooMany = new(
        "too-many", 429, "Too many calls", "Retry-After says when there is room again.");

    public static readonly ProblemType Failed = new(
        "failed", 500, "It went wrong here", "instance stands in the server's log beside the reason.");

    public static readonly ProblemType Unavailable = new(
        "unavailable", 503, "What is needed for it does not answer", "A store, the directory or the disk; mail goes on as far as it can.");

    public static ImmutableArray<ProblemType> All { get; } =
    [
        Invalid, CursorExpired, Unauthenticated, ScopeMissing, ProveAgain, ForeignOrigin, NotFound, NoRoute, WrongMethod, CountChanged,
        TooLarge, NotJson, WrongHost, NotDone, ConfirmFirst, TooMany, Failed, Unavailable,
    ];

    /// <summary>Null for a word that is none.</summary>
    public static ProblemType? Find(string word) => All.FirstOrDefault(one => one.Word == word);
}

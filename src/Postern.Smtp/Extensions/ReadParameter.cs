using Postern.Smtp.Replies;

namespace Postern.Smtp.Extensions;

/// <summary>
/// Reads the value of one parameter into <paramref name="parameters"/>; the value is empty where there was no <c>=</c>. Answers an
/// objection, or null. Called at most once a command for each keyword.
/// </summary>
/// <param name="session">Null where it is read back from a store: what this server had to say to it was said when it came.</param>
internal delegate Reply? ReadParameter<T>(ISessionFacts? session, ReadOnlySpan<byte> value, ref T parameters);

namespace Postern.Smtp.Session;

/// <summary>What asking all open sessions for their logins came to.</summary>
/// <param name="Ended">Sessions that are ended, their logins being gone.</param>
/// <param name="Unsure">Sessions of whose logins nothing could be said; they can send nothing until that is different.</param>
public readonly record struct LoginsReviewed(int Ended, int Unsure);

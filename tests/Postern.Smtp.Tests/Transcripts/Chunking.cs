namespace Postern.Smtp.Tests.Transcripts;

/// <summary>How a group of client lines is cut into writes. A server must not care.</summary>
public enum Chunking
{
    Whole,
    Line,
    Octet,
}

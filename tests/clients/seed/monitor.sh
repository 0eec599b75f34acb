#!/bin/bash
# monitor.sh - Monitor download progress
JOB_ID=$1
while true; do
STATUS=$(curl -s "http://localhost:8080/api/jobs/$JOB_ID")
JOB_STATUS=$(echo "$STATUS" | jq -r '.status')
if [ "$JOB_STATUS" = "completed" ] || [ "$JOB_STATUS" = "failed" ]; then
echo "Job $JOB_STATUS"
break
fi
DOWNLOADED=$(echo "$STATUS" | jq '.progress.downloadedBytes')
TOTAL=$(echo "$STATUS" | jq '.progress.totalBytes')
if [ "$TOTAL" -gt 0 ]; then
PCT=$(echo "scale=1; $DOWNLOADED * 100 / $TOTAL" | bc)
echo "Progress: $PCT%"
fi
sleep 2
done
